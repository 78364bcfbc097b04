// WireGuard devices by `ip`, `wg` and, where the kernel has no WireGuard, `wireguard-go`: one process for each interface, which
// outlives the agent and is asked directly. Its control socket is /var/run/wireguard/IF.sock; the interface is there as long as the process is.
import { createIp } from "../net/ip.ts";
import type { Clock } from "../system/clock.ts";
import { CommandError, type Exec, isCommandError } from "../system/exec.ts";
import type { Files } from "../system/files.ts";
import { isParseError } from "../system/parse-error.ts";
import { type AskSocket, describeErrno } from "../system/unix-socket.ts";
import { parseDump, type WireGuardDevice, type WireGuardPeer } from "./parse-dump.ts";
import { type PeerChange, renderPeerCommands, toPeerCommands } from "./peer-change.ts";
import {
  ANSWER_END,
  GET_REQUEST,
  parseErrno,
  parseGetAnswer,
  renderDeviceRequest,
  renderPeersRequest,
} from "./uapi-messages.ts";

export type WireGuardBackend = "kernel" | "wireguard-go" | "missing";

export interface WireGuard {
  /** Null: the interface does not exist, is not WireGuard's, or its wireguard-go is gone. */
  readDevice(name: string): Promise<WireGuardDevice | null>;
  createInterface(name: string): Promise<void>;
  removeInterface(name: string): Promise<void>;
  configureDevice(name: string, settings: DeviceSettings): Promise<void>;
  changePeers(name: string, changes: readonly PeerChange[]): Promise<void>;
  /**
   * Finds out where WireGuard would run on this machine: makes an interface and removes it again.
   * @param pid this process's, so that two never probe under one name
   */
  detectBackend(pid: number): Promise<WireGuardBackend>;
}

export interface WireGuardPorts {
  readonly exec: Exec;
  readonly files: Files;
  readonly clock: Clock;
  /** To wireguard-go's control socket, which costs no process. Absent: all goes by `wg`. */
  readonly askSocket?: AskSocket;
  /** Absent: programs are run to see whether they are there. */
  readonly hasProgram?: (name: string) => Promise<boolean>;
}

export interface DeviceSettings {
  /** A 0600 file. */
  readonly privateKeyFile?: string;
  readonly listenPort?: number;
}

const SOCKET_FOLDER = "/var/run/wireguard";
/** No mesh's interface is named so: their names are lower case. At most 12 characters, a process id has 7. */
const toProbeName = (pid: number) => `bkt-P${pid}`;
/** 1,000 peers take some 10 ms. A wireguard-go that hangs must not hold the other meshes up for long. */
const READ_TIMEOUT_MS = 3_000;
/** From here on `allowed-ips +10.0.0.0/8` adds. */
const FIRST_TOOLS_THAT_ADD = 20_250_521;
const GONE_WITHIN_MS = 2_000;
const GONE_POLL_MS = 5;

export function createWireGuard(ports: WireGuardPorts): WireGuard {
  const { exec, files, clock } = ports;
  const ip = createIp(exec);
  let hasKernel: boolean | undefined;
  /** wireguard-tools are numbered by their date. */
  let toolsDate: Promise<number> | undefined;

  /** Null: no wireguard-go answers for this interface, so `wg` knows better: it is the kernel's, or not there. */
  async function ask(name: string, text: string): Promise<string | null> {
    if (ports.askSocket === undefined || hasKernel === true) return null;
    const fail = (reason: string, options?: ErrorOptions) =>
      new CommandError(
        { argv: ["wireguard-go", name], exitCode: null, signal: null, stderr: "", timedOut: false, reason },
        options,
      );
    try {
      const question = { text, end: ANSWER_END, timeoutMs: READ_TIMEOUT_MS };
      const answer = await ports.askSocket(`${SOCKET_FOLDER}/${name}.sock`, question);
      const errno = answer === null ? 0 : parseErrno(answer);
      if (errno !== 0) throw fail(`refused: ${describeErrno(errno)}`);
      return answer;
    } catch (error) {
      if (isCommandError(error) || isParseError(error)) throw error;
      throw fail(`did not answer (${error instanceof Error ? error.message : String(error)})`, { cause: error });
    }
  }

  /** False when this kernel has no WireGuard. Loads its module when there is one. */
  async function tryKernelInterface(name: string): Promise<boolean> {
    if (hasKernel === false) return false;
    try {
      await exec.run(["ip", "link", "add", "dev", name, "type", "wireguard"]);
      hasKernel = true;
      return true;
    } catch (error) {
      if (!isCommandError(error) || !/Unknown device type|not supported/i.test(error.stderrTail)) throw error;
      hasKernel = false;
      return false;
    }
  }

  async function probeKernel(name: string): Promise<boolean> {
    let isMade: boolean | undefined;
    try {
      isMade = await tryKernelInterface(name);
    } catch (error) {
      // Of a process with our id that was killed between making and removing it.
      if (!isCommandError(error) || !/File exists/.test(error.stderrTail)) throw error;
      await ip.deleteLink(name);
      isMade = await tryKernelInterface(name);
    } finally {
      // Also after a timeout, when nobody knows whether it was made.
      if (isMade !== false) await ip.deleteLink(name).catch(() => undefined);
    }
    return isMade;
  }

  /** Before that `wg set` can only replace a peer's whole list. */
  async function canAdd(): Promise<boolean> {
    toolsDate ??= exec.run(["wg", "--version"]).then(
      ({ stdout }) => Number(/ v1\.0\.(\d{8})/.exec(stdout)?.[1] ?? 0),
      () => 0,
    );
    return (await toolsDate) >= FIRST_TOOLS_THAT_ADD;
  }

  async function hasProgram(program: string): Promise<boolean> {
    if (ports.hasProgram !== undefined) return ports.hasProgram(program);
    try {
      await exec.run([program, "--version"]);
      return true;
    } catch (error) {
      if (isCommandError(error)) return false;
      throw error;
    }
  }

  return {
    async readDevice(name) {
      const answer = await ask(name, GET_REQUEST);
      if (answer !== null) return toSteadyTime(parseGetAnswer(answer), clock);
      // This kernel has no devices that `wg` could know of.
      if (ports.askSocket !== undefined && hasKernel === false) return null;
      try {
        const { stdout } = await exec.run(["wg", "show", name, "dump"], { timeoutMs: READ_TIMEOUT_MS });
        return toSteadyTime(parseDump(stdout), clock);
      } catch (error) {
        // Without the kernel's WireGuard: "Protocol not supported"; with it, of another kind of link: "Operation not supported".
        if (isCommandError(error) && /not supported|No such device/.test(error.stderrTail)) return null;
        throw error;
      }
    },
    async createInterface(name) {
      if (await tryKernelInterface(name)) return;
      // It opens the interface and its socket, starts itself again in the background and exits: both are there on return.
      await exec.run(["wireguard-go", name], { isDetached: true });
    },
    async removeInterface(name) {
      await ip.deleteLink(name);
      await waitForSocketGone(name, files, clock);
    },
    async configureDevice(name, { privateKeyFile, listenPort }) {
      if (ports.askSocket !== undefined) {
        const privateKey = privateKeyFile === undefined ? undefined : (await files.read(privateKeyFile))?.trim();
        if ((await ask(name, renderDeviceRequest({ privateKey, listenPort }))) !== null) return;
      }
      const port = listenPort === undefined ? [] : ["listen-port", String(listenPort)];
      const key = privateKeyFile === undefined ? [] : ["private-key", privateKeyFile];
      await exec.run(["wg", "set", name, ...port, ...key]);
    },
    async changePeers(name, changes) {
      if ((await ask(name, renderPeersRequest(changes))) !== null) return;
      const isAdding = changes.some((change) => change.kind === "update" && change.allowedIps !== undefined);
      const commands = toPeerCommands(changes, { canAdd: isAdding && (await canAdd()) });
      for (const args of renderPeerCommands(commands)) {
        await exec.run(["wg", "set", name, ...args]);
      }
    },
    async detectBackend(pid) {
      if (hasKernel ?? (await probeKernel(toProbeName(pid)))) return "kernel";
      return (await hasProgram("wireguard-go")) ? "wireguard-go" : "missing";
    },
  };
}

/** WireGuard tells handshakes by the wall clock, which may be set back: ages are measured by `Clock.now()`. */
function toSteadyTime(device: WireGuardDevice, clock: Clock): WireGuardDevice {
  const backMs = clock.now() - clock.wall();
  if (backMs === 0) return device;
  const toSteady = ({ latestHandshakeMs }: WireGuardPeer) =>
    latestHandshakeMs === null ? null : latestHandshakeMs + backMs;
  return { ...device, peers: device.peers.map((peer) => ({ ...peer, latestHandshakeMs: toSteady(peer) })) };
}

/**
 * wireguard-go notices a moment later that its interface is gone, and then deletes its socket, by name. A new one of the same name that
 * started in between would lose its socket.
 */
async function waitForSocketGone(name: string, files: Files, clock: Clock): Promise<void> {
  const end = clock.now() + GONE_WITHIN_MS;
  while ((await files.list(SOCKET_FOLDER)).includes(`${name}.sock`) && clock.now() < end) {
    await clock.sleep(GONE_POLL_MS);
  }
}
