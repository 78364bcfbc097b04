// Many real BIRDs, each in a network namespace of its own. They, their files and their namespaces are inside one process namespace, which ends
// with all that is in it when this process does, however it ends.
import { type FileHandle, open, readFile, writeFile } from "node:fs/promises";
import { createBirdClient } from "../../agent/bird/bird-client.ts";
import { type BirdReply, isWholeReply, parseReply } from "../../agent/bird/parse-reply.ts";
import { renderConfig } from "../../agent/bird/render-config.ts";
import { askSocket } from "../../agent/system/unix-socket.ts";
import { type Namespace, openNamespace } from "../../agent/testing/namespace.ts";
import { parseMemory, parseStat, TICKS_PER_SECOND } from "../lib/parse-proc.ts";
import { inPortions } from "./in-portions.ts";
import { createConfigs, KERNEL_METRIC, type Mesh, range, type ToConfig } from "./mesh-of-birds.ts";
import { countIpv4Routes, countIpv6Routes, parseEstablished } from "./parse-counts.ts";
import { renderHub, renderMember } from "./wires.ts";

export interface Birds {
  readonly members: readonly number[];
  /** Starts all of them, at once. */
  start(): Promise<void>;
  /** What it put into its kernel; nothing before it runs. */
  readKernelRoutes(member: number): Promise<RouteCounts>;
  /** When each of its sessions that are up came up, in seconds since the epoch. */
  readEstablished(member: number): Promise<number[]>;
  /** Has it withdraw what it announces. */
  withdraw(member: number): Promise<void>;
  /** User and system time of all since they started, in seconds. */
  readProcessorTime(): Promise<number>;
  readMemory(): Promise<{ readonly rssMb: number; readonly pssMb: number }>;
  close(): Promise<void>;
}

export interface RouteCounts {
  readonly ipv4: number;
  readonly ipv6: number;
}

const ANSWER_WITHIN_MS = 20_000;
const SET_UP_WITHIN_MS = 120_000;
/** Each of them costs a process or a connection. */
const AT_ONCE = 8;

/**
 * The argument is the number of members. Each waits for a line of its own, so that the first ones don't run while others are still to be
 * started. `-f`: in one process from the start, so that its time has reading its configuration in it.
 */
const PREPARE = `mkfifo /run/go
i=1
while [ $i -le $1 ]; do
  nsenter --net=/run/netns/m$i sh -c 'read -r go </run/go; exec bird -f -c $1.conf -s $1.ctl -P $1.pid' sh /run/m$i \
    </dev/null >/run/m$i.err 2>&1 &
  i=$((i+1))
done`;
const SET_UP_MEMBERS = "i=1; while [ $i -le $1 ]; do ip -n m$i -batch /run/m$i.ip || exit 1; i=$((i+1)); done";
/** The namespaces' own: the hub has no IPv6 to speak, and only forwards. */
const SET_UP_HUB = "cd /proc/sys/net && echo 1 > ipv6/conf/default/disable_ipv6 && echo 1 > ipv4/ip_forward";

export async function openBirds(mesh: Mesh): Promise<Birds> {
  const namespace = await openNamespace();
  try {
    const toConfig = createConfigs(mesh);
    await setUp(mesh, namespace, toConfig);
    // For reading, too: else it could not be opened before the first BIRD waits.
    const go = await open(toHostPath(namespace, "go"), "r+");
    return createBirds({ mesh, namespace, toConfig, go });
  } catch (error) {
    await namespace.close();
    throw error;
  }
}

/** A file of the namespace's own /run, as the host reaches it. */
const toHostPath = ({ pid }: Namespace, file: string): string => `/proc/${pid}/root/run/${file}`;

async function setUp(mesh: Mesh, namespace: Namespace, toConfig: ToConfig): Promise<void> {
  const members = range(mesh.members);
  const options = { timeoutMs: SET_UP_WITHIN_MS };
  await namespace.exec.run(["sh", "-c", SET_UP_HUB]);
  await namespace.exec.run(["ip", "-batch", "-"], { ...options, stdin: renderHub(mesh.members) });
  for (const member of members) {
    await writeFile(toHostPath(namespace, `m${member}.ip`), renderMember(member));
    await writeFile(toHostPath(namespace, `m${member}.conf`), renderConfig(toConfig(member)));
  }
  for (const script of [SET_UP_MEMBERS, PREPARE])
    await namespace.exec.run(["sh", "-ec", script, "sh", String(mesh.members)], options);
}

interface Parts {
  readonly mesh: Mesh;
  readonly namespace: Namespace;
  readonly toConfig: ToConfig;
  /** A line of it starts one BIRD. */
  readonly go: FileHandle;
}

function createBirds({ mesh, namespace, toConfig, go }: Parts): Birds {
  const members = range(mesh.members);
  const inRun = (file: string) => toHostPath(namespace, file);
  /** It numbers processes as the namespace does, and has no others. */
  const proc = `/proc/${namespace.pid}/root/proc`;

  async function ask(member: number, command: string): Promise<BirdReply | null> {
    const question = { text: `${command}\n`, end: isWholeReply, timeoutMs: ANSWER_WITHIN_MS };
    const answer = await askSocket(inRun(`m${member}.ctl`), question);
    return answer === null ? null : parseReply(answer);
  }

  /** Empty before it runs. */
  const readPid = async (member: number) => (await readOrNothing(inRun(`m${member}.pid`))).trim();

  /** Of `/proc/PID/…` of each. */
  async function readEach<T>(file: string, parse: (text: string) => T): Promise<T[]> {
    return await inPortions(AT_ONCE, members, async (member) => {
      const pid = await readPid(member);
      const text = pid === "" ? "" : await readOrNothing(`${proc}/${pid}/${file}`);
      if (text === "") throw new Error(`BIRD ${member} of ${mesh.members} does not run`);
      return parse(text);
    });
  }

  return {
    members,
    start: async () => void (await go.write("\n".repeat(mesh.members))),
    async readKernelRoutes(member) {
      const pid = await readPid(member);
      if (pid !== "") return await readRoutes(`${proc}/${pid}/net`);
      const words = await readOrNothing(inRun(`m${member}.err`));
      if (words !== "") throw new Error(`BIRD ${member} of ${mesh.members} did not start: ${words.slice(0, 300)}`);
      return { ipv4: 0, ipv6: 0 };
    },
    async readEstablished(member) {
      const reply = await ask(member, "show protocols");
      return reply === null ? [] : parseEstablished(reply);
    },
    async withdraw(member) {
      const config = renderConfig(toConfig(member, { isAnnouncing: false }));
      await writeFile(inRun(`m${member}.conf`), config);
      const result = await createBirdClient(askSocket, inRun(`m${member}.ctl`)).configure();
      if (!result?.ok) throw new Error(`BIRD ${member} does not take its new configuration`);
    },
    async readProcessorTime() {
      const ticks = await readEach("stat", (text) => parseStat(text).ownTicks);
      return ticks.reduce((sum, one) => sum + one, 0) / TICKS_PER_SECOND;
    },
    async readMemory() {
      const all = await readEach("smaps_rollup", parseMemory);
      const sum = (read: (one: (typeof all)[number]) => number) => all.reduce((total, one) => total + read(one), 0);
      return { rssMb: sum(({ rssMb }) => rssMb), pssMb: sum(({ pssMb }) => pssMb) };
    },
    async close() {
      await go.close();
      await namespace.close();
    },
  };
}

/** No BIRD is asked for them: it would take the time of what is measured. */
async function readRoutes(net: string): Promise<RouteCounts> {
  return {
    ipv4: countIpv4Routes(await readFile(`${net}/route`, "utf8"), KERNEL_METRIC),
    ipv6: countIpv6Routes(await readFile(`${net}/ipv6_route`, "utf8"), KERNEL_METRIC),
  };
}

const readOrNothing = (file: string): Promise<string> => readFile(file, "utf8").catch(() => "");
