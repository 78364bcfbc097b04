// A machine's network that lives in memory. It understands the `ip`, `wg`, `wireguard-go`, `nft` and `sysctl` commands that the agent really runs,
// and prints its state as text. system.contract.ts holds it to the real thing.
import { type Argv, CommandError, type Exec, type Output, type RunOptions } from "../system/exec.ts";
import type { Files } from "../system/files.ts";
import type { FollowProgram } from "../system/follow-program.ts";
import { runIp } from "./fake-kernel-ip.ts";
import { runNft } from "./fake-kernel-nft.ts";
import { followRoutes, runRoute } from "./fake-kernel-routes.ts";
import {
  emptyLink,
  type FakeDevice,
  type FakeKernelState,
  type FakeLink,
  type FakePeer,
  type Reply,
} from "./fake-kernel-state.ts";
import { runWg, runWireGuardGo } from "./fake-kernel-wg.ts";

export interface FakeKernel extends Exec, FakeKernelState {
  /** Knows `ip monitor route`. */
  readonly followProgram: FollowProgram;
  /** Every command that changed something, in order. */
  readonly changes: string[];
  /** Called before each command, for a test that wants to act in between. */
  onCommand: (argv: Argv) => void | Promise<void>;
  device(name: string): FakeDevice;
  peer(name: string, publicKey: string): FakePeer;
  /** The state of `bkt-` interfaces and of every other link, as text. */
  render(): string;
}

export interface FakeKernelOptions {
  readonly files: Files;
  /** Whether this kernel has WireGuard, or wireguard-go has to do. */
  readonly hasWireGuard?: boolean;
  readonly toolsVersion?: string;
}

export function createFakeKernel({
  files,
  hasWireGuard = true,
  toolsVersion = "1.0.20210914",
}: FakeKernelOptions): FakeKernel {
  const kernel: FakeKernel = {
    links: new Map(),
    routes: [],
    programRoutes: [],
    monitors: new Set(),
    tables: new Map(),
    forwardsByDefault: false,
    toolsVersion,
    takenPorts: new Set(),
    changes: [],
    fail: () => null,
    onCommand: () => undefined,
    addLink(name, link = {}) {
      const made = { ...emptyLink(), isForwarding: kernel.forwardsByDefault, ...link };
      kernel.links.set(name, made);
      return made;
    },
    device(name) {
      const device = kernel.links.get(name)?.device;
      if (!device) throw new Error(`no WireGuard device ${name}`);
      return device;
    },
    peer(name, publicKey) {
      const peer = kernel.device(name).peers.get(publicKey);
      if (!peer) throw new Error(`no peer ${publicKey} on ${name}`);
      return peer;
    },
    followProgram: (argv, listener) => followRoutes(kernel, argv, listener),
    render: () => [...kernel.links].map(([name, link]) => renderLink(name, link)).join("\n"),
    run,
  };

  async function run(argv: Argv, options: RunOptions = {}): Promise<Output> {
    options.signal?.throwIfAborted();
    await kernel.onCommand(argv);
    const stdin = options.stdin ?? "";
    const refusal = kernel.fail(argv, stdin);
    const reply = refusal === null ? await interpret(argv, stdin) : { stderr: refusal };
    if ("stdout" in reply) return { stdout: reply.stdout, stderr: "" };
    const failure = { argv, exitCode: 1, signal: null, stderr: reply.stderr, timedOut: false };
    throw new CommandError({ ...failure, reason: "exited with 1" });
  }

  async function interpret(argv: Argv, stdin: string): Promise<Reply> {
    const isRead = ["show", "-json", "-j", "-N", "--version", "-V"].includes(argv[1] ?? "");
    if (!isRead) kernel.changes.push([...argv, ...(stdin === "" ? [] : [stdin])].join(" "));
    switch (argv[0]) {
      case "ip":
        if (argv.includes("route") && argv[1] !== "-json") return runRoute(kernel, argv);
        return runIp(kernel, argv, stdin, hasWireGuard);
      case "wg":
        return runWg(kernel, argv, files);
      case "wireguard-go":
        return runWireGuardGo(kernel, argv);
      case "sysctl":
        return runSysctl(kernel, argv, files);
      case "nft":
        return runNft(kernel, argv, stdin);
      default:
        throw new Error(`the fake kernel does not know ${argv[0]}`);
    }
  }

  kernel.addLink("lo", { isUp: true, isLoopback: true, mtuBytes: 65_536, addresses: ["127.0.0.1/8", "::1/128"] });
  return kernel;
}

const FORWARDING = /^net\/ipv4\/conf\/(\S+)\/forwarding=([01])$/;
const IPV6_FORWARDING = /^(net\/ipv6\/conf\/\S+\/force_forwarding)=([01])$/;

async function runSysctl(kernel: FakeKernelState, argv: Argv, files: Files): Promise<Reply> {
  const [, key, isOn] = IPV6_FORWARDING.exec(argv.at(-1) ?? "") ?? [];
  if (key !== undefined) {
    // -e: a kernel that does not know the key is none the worse for it.
    if ((await files.read(`/proc/sys/${key}`)) !== null) await files.writeAtomic(`/proc/sys/${key}`, `${isOn}\n`);
    return { stdout: "" };
  }
  const [, name = "", value = ""] = FORWARDING.exec(argv.at(-1) ?? "") ?? [];
  const link = kernel.links.get(name);
  const file = `/proc/sys/net/ipv4/conf/${name}/forwarding`;
  if (link === undefined) return { stderr: `sysctl: cannot stat ${file}: No such file or directory` };
  link.isForwarding = value === "1";
  await files.writeAtomic(file, `${value}\n`);
  return { stdout: "" };
}

function renderLink(name: string, link: FakeLink): string {
  const { alias, isUp, isForwarding, mtuBytes, addresses, device } = link;
  const head = [
    name,
    isUp ? "up" : "down",
    `mtu ${mtuBytes}`,
    ...(isForwarding ? ["forwards"] : []),
    ...(alias === null ? [] : [`"${alias}"`]),
    ...[...addresses].sort(),
  ];
  if (device === null) return head.join(" ");
  return [
    head.join(" "),
    `  key ${device.publicKey} port ${device.listenPort}`,
    ...[...device.peers].map(([key, peer]) => `  peer ${key} ${renderPeer(peer)}`).sort(),
  ].join("\n");
}

function renderPeer({ endpoint, allowedIps, keepaliveSeconds, latestHandshakeMs }: FakePeer): string {
  const handshake = latestHandshakeMs === null ? "" : ` handshake ${latestHandshakeMs}`;
  return `at ${endpoint} keepalive ${keepaliveSeconds} allowed ${[...allowedIps].sort().join(",")}${handshake}`;
}
