// The BIRD of one mesh: a process of its own with its own configuration, control socket and process id file, which outlives the agent. It is known
// by its socket and by nothing else, so no other BIRD is ever touched.
//
// Invariants: what BIRD refuses never becomes the file that it reads, so a BIRD that starts again by itself or by us starts with what worked;
// a session whose configuration did not change lives through every change.
import { err, ok, type Result } from "#schema/result";
import type { Clock } from "../system/clock.ts";
import { type Exec, isCommandError } from "../system/exec.ts";
import type { Files } from "../system/files.ts";
import type { AskSocket, WatchSocket } from "../system/unix-socket.ts";
import { type BirdClient, type ConfigRefusal, createBirdClient } from "./bird-client.ts";

export interface Bird extends Pick<BirdClient, "readStatus" | "readProtocols" | "readRoutes"> {
  /**
   * Brings BIRD to this configuration: starts one, or has the one that runs change over; also one that an earlier agent started. Refused:
   * all is as it was, except that a BIRD which was not running runs with the last configuration that it took, if there is one.
   */
  apply(config: string): Promise<ApplyResult>;
  /** Calls back once when BIRD ends, whoever ends it. The returned function ends the watch. Null: none is running. */
  watch(onGone: () => void): Promise<(() => void) | null>;
  /** Ends BIRD, removes its routes from the kernel, also those of one that died, and its files. */
  stop(): Promise<void>;
}

export type ApplyResult = Result<
  /** `restarted`: there was one that died; neighbours that still keep its routes go on using them. */
  "unchanged" | "started" | "restarted" | "reconfigured",
  ConfigRefusal
>;

export interface BirdPorts {
  readonly exec: Exec;
  readonly files: Files;
  readonly clock: Clock;
  readonly askSocket: AskSocket;
  readonly watchSocket: WatchSocket;
}

export interface BirdPlace {
  /** Its files are ours. */
  readonly folder: string;
  /** The mesh's interface: names the files. */
  readonly name: string;
  /** What marks this BIRD's routes in the kernel. Null: not known, so those of one that died stay when it is stopped. */
  readonly kernelMetric: number | null;
}

const SETTLE_WITHIN_MS = 5_000;
const POLL_MS = 20;
const ENDED = "it ended";

export function createBird(ports: BirdPorts, { folder, name, kernelMetric }: BirdPlace): Bird {
  const { exec, files, clock, askSocket, watchSocket } = ports;
  const path = (suffix: string) => `${folder}/${name}.${suffix}`;
  const configFile = path("conf");
  const candidateFile = path("candidate.conf");
  const socketFile = path("ctl");
  const client = createBirdClient(askSocket, socketFile);
  /** What the running BIRD was seen to have. Null: nobody looked yet. */
  let applied: string | null = null;

  async function apply(config: string): Promise<ApplyResult> {
    const status = await client.readStatus();
    if (status !== null && applied === config && (await hasItsSockets())) return ok("unchanged");
    const refusal = await check(config);
    if (status === null) {
      if (refusal !== null) {
        if ((await files.read(configFile)) !== null) await start();
        return err(refusal);
      }
      await files.writeAtomic(configFile, config);
      return ok(await startWith(config));
    }
    return refusal === null ? reconfigure(config) : err(refusal);
  }

  /** A session that could not bind to the mesh's address, as it was not there yet, stays down until BIRD is told to look again. */
  async function hasItsSockets(): Promise<boolean> {
    return (await client.readProtocols())?.every(({ session }) => session?.state !== "Down") ?? false;
  }

  /** By a BIRD of its own, which is the program that would be started, and touches nothing. */
  async function check(config: string): Promise<ConfigRefusal | null> {
    await files.ensureFolder(folder);
    await files.writeAtomic(candidateFile, config);
    try {
      await exec.run(["bird", "-p", "-c", candidateFile]);
      return null;
    } catch (error) {
      if (!isCommandError(error) || error.exitCode === null) throw error;
      // BIRD 3 says the time before.
      const [, position = error.stderrTail] = error.stderrTail.split(`${candidateFile}:`);
      return { code: "bird_refused_config", message: `line ${position}` };
    } finally {
      await files.remove(candidateFile);
    }
  }

  /** Its files tell how the last one ended: it removes them when it is told to end, and leaves them when it dies. */
  async function start(): Promise<"started" | "restarted"> {
    const hasDied = (await files.list(folder)).includes(`${name}.ctl`);
    const recover = hasDied ? ["-R"] : [];
    // It opens its socket, reads its configuration, starts itself again in the background and exits: both are done on return.
    await exec.run(["bird", ...recover, "-c", configFile, "-s", socketFile, "-P", path("pid")], { isDetached: true });
    return hasDied ? "restarted" : "started";
  }

  async function reconfigure(config: string): Promise<ApplyResult> {
    const last = await files.read(configFile);
    await files.writeAtomic(configFile, config);
    const result = await client.configure();
    if (result?.ok === false) {
      if (last !== null) await files.writeAtomic(configFile, last);
      return err(result.error);
    }
    // One that died meanwhile is started as one that died before is.
    return ok(result !== null && (await readBack(config)) ? "reconfigured" : await startWith(config));
  }

  /** With the configuration that is in its file. */
  async function startWith(config: string): Promise<"started" | "restarted"> {
    const how = await start();
    if (!(await readBack(config))) throw new Error(`bird ${name} ended as soon as it was started`);
    return how;
  }

  /** False: it ended. Throws when BIRD does not have, within a while, the protocols that it was told to have. */
  async function readBack(config: string): Promise<boolean> {
    applied = null;
    const end = clock.now() + SETTLE_WITHIN_MS;
    for (;;) {
      const problem = await findDifference(config);
      if (problem === null) break;
      if (problem === ENDED) return false;
      if (clock.now() >= end) throw new Error(`bird ${name}: ${problem}`);
      await clock.sleep(POLL_MS);
    }
    applied = config;
    return true;
  }

  async function findDifference(config: string): Promise<string | null> {
    const [status, protocols] = [await client.readStatus(), await client.readProtocols()];
    if (status === null || protocols === null) return ENDED;
    if (status.state === "reconfiguring") return "still changes over";
    const has = new Set(protocols.map((protocol) => protocol.name));
    const wanted = [...config.matchAll(/^protocol \w+ (\w+)/gm)].map((match) => match[1] ?? "");
    const missing = wanted.filter((protocol) => !has.has(protocol));
    if (missing.length > 0) return `has no ${missing.join(", ")}`;
    return has.size > wanted.length ? "has protocols that are not in its configuration" : null;
  }

  async function stop(): Promise<void> {
    applied = null;
    if (!(await files.list(folder)).some((file) => file.startsWith(`${name}.`))) return;
    if ((await client.shutDown()) !== null) await waitForEnd();
    if (kernelMetric !== null) await flushRoutes(kernelMetric);
    for (const suffix of ["ctl", "pid", "log", "log.old", "conf"]) await files.remove(path(suffix));
  }

  async function flushRoutes(metric: number): Promise<void> {
    const which = ["table", "main", "proto", "bird", "metric", String(metric)];
    for (const family of ["-4", "-6"]) await exec.run(["ip", family, "route", "flush", ...which]);
  }

  /** Its socket's name goes last, when its routes are gone. */
  async function waitForEnd(): Promise<void> {
    const end = clock.now() + SETTLE_WITHIN_MS;
    while ((await files.list(folder)).includes(`${name}.ctl`)) {
      if (clock.now() >= end) throw new Error(`bird ${name} does not end`);
      await clock.sleep(POLL_MS);
    }
  }

  const { readStatus, readProtocols, readRoutes } = client;
  return { apply, stop, readStatus, readProtocols, readRoutes, watch: (onGone) => watchSocket(socketFile, onGone) };
}
