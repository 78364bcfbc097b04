// The state of the fake kernel: links, WireGuard devices, routes. See fake-kernel.ts.
import type { Argv } from "../system/exec.ts";

export interface FakePeer {
  endpoint: string | null;
  allowedIps: string[];
  keepaliveSeconds: number;
  latestHandshakeMs: number | null;
  receivedBytes: number;
  /** Handshake initiations that WireGuard sent because the peer was set, as bytes. */
  sentBytes: number;
}

export interface FakeDevice {
  privateKey: string | null;
  publicKey: string | null;
  listenPort: number;
  peers: Map<string, FakePeer>;
}

export interface FakeLink {
  kind: string | null;
  alias: string | null;
  isUp: boolean;
  isLoopback: boolean;
  /** IPv4 packets that come in on it. */
  isForwarding: boolean;
  mtuBytes: number;
  /** With prefix length, in the order they were added: the first of a network is the primary one. */
  addresses: string[];
  device: FakeDevice | null;
}

/** A base chain of nft; its rules as the script wrote them. */
export interface FakeChain {
  type: string;
  hook: string;
  priority: number;
  rules: string[];
}

/** Of BIRD and the like. */
export interface FakeRoute {
  readonly family: "-4" | "-6";
  readonly prefix: string;
  readonly nextHops: readonly string[];
  readonly device: string;
  readonly metric: number;
  readonly protocol: string;
  readonly table: string;
}

export interface FakeMonitor {
  readonly print: (line: string) => void;
  readonly complain: (text: string) => void;
  readonly end: (reason: string) => void;
}

export type FakeTable = Map<string, FakeChain>;

export interface FakeKernelState {
  readonly links: Map<string, FakeLink>;
  /** Besides those that addresses bring. */
  readonly routes: { destination: string; device: string; protocol?: string }[];
  /** Routes that other programs put into any table, of both families. Those without a protocol number are in `routes`. */
  readonly programRoutes: FakeRoute[];
  /** Whoever runs `ip monitor route`. */
  readonly monitors: Set<FakeMonitor>;
  /** nft's tables by family and name, such as `inet becket`. */
  readonly tables: Map<string, FakeTable>;
  /** What `net.ipv4.conf.default.forwarding` gives new links. */
  forwardsByDefault: boolean;
  /** Of wireguard-tools, like `1.0.20210914`. */
  readonly toolsVersion: string;
  /** UDP ports of other programs. */
  readonly takenPorts: Set<number>;
  /** Makes commands fail: returns what such a command prints on stderr, or null to let it pass. */
  fail: (argv: Argv, stdin: string) => string | null;
  addLink(name: string, link?: Partial<FakeLink>): FakeLink;
}

/** What a command of the fake may do: print, or fail with this text on stderr. */
export type Reply = { readonly stdout: string } | { readonly stderr: string };

export function emptyLink(): FakeLink {
  return {
    ...{ kind: null, alias: null, isUp: false, isLoopback: false, isForwarding: false },
    ...{ mtuBytes: 1_500, addresses: [], device: null },
  };
}

export function emptyDevice(): FakeDevice {
  return { privateKey: null, publicKey: null, listenPort: 0, peers: new Map() };
}

export function emptyPeer(): FakePeer {
  return {
    endpoint: null,
    allowedIps: [],
    keepaliveSeconds: 0,
    latestHandshakeMs: null,
    receivedBytes: 0,
    sentBytes: 0,
  };
}
