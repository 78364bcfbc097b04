// What the machines of a seen network say of each other: every way to talk, and every reason. Which pair has which is decided by its place
// in the list, so that the same picture comes each time; only what is measured moves.
import type { Telemetry, Told, ToldMachine } from "./told-machine.ts";

type Peer = Telemetry["peers"][number];
type Way = Pick<Peer, "status" | "path" | "reason"> & Partial<Peer>;

const EASY = { mapping: "endpoint-independent", filtering: "address-and-port-dependent", isUdpOpen: true } as const;
/** Told by the machines in turn. */
export const NATS: readonly NonNullable<Told["nat"]>[] = [
  EASY,
  { ...EASY, mapping: "address-and-port-dependent" },
  { ...EASY, mapping: "none" },
  { ...EASY, mapping: "unknown", isUdpOpen: false },
];
const HARD = { ...EASY, mapping: "address-and-port-dependent" } as const;

const DIRECT: Way = {
  ...{ status: "up", path: "direct", reason: { code: "direct", message: "direct: both sides' checks arrive" } },
};
const DOWN: Way = {
  ...{ status: "down", path: "none", reason: { code: "peer_offline", message: "down: the peer is not connected" } },
};
const WAYS: readonly Way[] = [
  DIRECT,
  {
    status: "up",
    path: "relayed",
    reason: {
      code: "hard_nats",
      message: "relayed: both machines are behind NATs that give every destination another port",
    },
    ...{ localNat: { ...HARD, publicAddress: "198.51.100.7" }, peerNat: { ...HARD, publicAddress: "203.0.113.88" } },
  },
  DIRECT,
  DIRECT,
  DOWN,
  DIRECT,
  { ...DIRECT, lossRatio: 0.04 },
  {
    status: "up",
    path: "transit",
    reason: { code: "transit_chosen", message: "transit: no relay can be reached, and the gateway reaches both" },
  },
  { status: "idle", path: "none", reason: { code: "idle", message: "idle: nothing was sent for five minutes" } },
  { status: "connecting", path: "none", reason: { code: "checking", message: "connecting: checks are under way" } },
  {
    ...{ ...DIRECT, inDoubt: true },
    reason: {
      code: "direct",
      message:
        "direct, but in doubt: 203.0.113.20:51820 has not answered the last 3 checks; another path is made ready",
    },
  },
];

interface Teller {
  readonly meshId: string;
  readonly self: Pick<ToldMachine, "id">;
  readonly others: readonly Pick<ToldMachine, "id" | "name">[];
  /** Who is not connected. */
  readonly silentIds: readonly string[];
  readonly gatewayId: string;
}

/** Peers as `self` sees them; each round measures anew. */
export function createPaths({ meshId, self, others, silentIds, gatewayId }: Teller): () => Peer[] {
  let round = 0;
  const since = ago(3_600);
  return () => {
    round += 1;
    return others
      .filter(({ id }) => id !== self.id)
      .map(({ id, name }, index) => {
        const way = (silentIds.includes(id) ? DOWN : WAYS[index % WAYS.length]) ?? DIRECT;
        const isUp = way.status === "up";
        const wave = Math.sin(round / 3 + index);
        return {
          ...{ meshId, machineId: id, name, since, localNat: EASY, peerNat: EASY, lossRatio: isUp ? 0 : null },
          ...{
            gatewayId: way.path === "transit" ? gatewayId : null,
            nextTryAt: way.path === "direct" ? null : ago(-40),
          },
          endpoint: way.path === "direct" ? `${toAddress(index)}:51820` : null,
          handshakeAgeSeconds: isUp ? (index * 17) % 120 : null,
          latencyMs: isUp ? 8 + (index % 100) * 3 + wave * 2 : null,
          rxBytesPerSecond: isUp ? Math.round(40_000 * (1.2 + wave) * (1 + (index % 4))) : 0,
          txBytesPerSecond: isUp ? Math.round(9_000 * (1.2 - wave)) : 0,
          bgp: isUp
            ? { state: "established", since, lastError: null }
            : { state: "active", since: ago(240), lastError: "Received: Hold timer expired" },
          candidates: toCandidates(index, way),
          ...way,
        };
      });
  };
}

const toAddress = (index: number): string => `203.0.113.${1 + ((9 + index) % 254)}`;

const toCandidates = (index: number, { path, status }: Way): Peer["candidates"] => [
  {
    ...{ endpoint: `${toAddress(index)}:51820`, type: "stun", lastTriedAt: ago(12) },
    ...(path === "direct"
      ? { outcome: "answered", roundTripMs: 8 + (index % 100) * 3 }
      : { outcome: "no_answer", roundTripMs: null }),
  },
  {
    ...{ endpoint: `${toAddress(index)}:${40_000 + index}`, type: "mesh_observed", roundTripMs: null },
    ...{ outcome: status === "connecting" ? "checking" : "no_answer", lastTriedAt: ago(3) },
  },
  { endpoint: "192.168.1.20:51820", type: "host", outcome: "unreachable", roundTripMs: null, lastTriedAt: null },
];

export const toEndpoints = (meshId: string, observerId: string): Telemetry["endpoints"] =>
  (
    [
      ["192.168.1.17:51820", "host", null],
      ["[2001:db8:7::17]:51820", "host", null],
      ["198.51.100.7:51820", "stun", "stun.example.org:3478"],
      ["198.51.100.7:40123", "port_mapped", "192.168.1.1"],
      ["198.51.100.7:62001", "peer_observed", observerId],
      ["198.51.100.7:62002", "mesh_observed", observerId],
      ["192.0.2.44:51820", "static", null],
    ] as const
  ).map(([address, type, observedBy], index) => ({
    ...{ meshId, address, type, observedBy },
    ...{ firstSeen: ago(86_400 * (index + 1)), lastSeen: ago(index * 40) },
  }));

export const NAT: NonNullable<Telemetry["nat"]> = {
  at: ago(95),
  udp: { ipv4: true, ipv6: false },
  mapping: "endpoint-independent",
  filtering: "address-and-port-dependent",
  preservesPort: true,
  hairpinning: false,
  mappingLifetimeSeconds: 120,
  publicAddresses: ["198.51.100.7"],
  portMapping: { protocols: ["upnp", "pcp"], endpoints: ["198.51.100.7:40123"], problem: null },
  stun: [
    { server: "stun.example.org:3478", mapped: "198.51.100.7:51820", roundTripMs: 12.5 },
    { server: "stun2.example.org:3478", mapped: null, roundTripMs: null },
  ],
  checksProblem: null,
};

export const toLinks = (others: readonly ToldMachine[]): NonNullable<Told["links"]> =>
  others.slice(0, 6).map(({ id }, index) => {
    const { path, reason } = WAYS[index] ?? DIRECT;
    const endpoint = path === "direct" ? `${toAddress(index)}:51820` : null;
    const kind = path === "none" ? "down" : index % 2 === 0 ? "up" : "path_changed";
    return { peerId: id, kind, path, endpoint, reason, at: ago(60 * (6 - index)) };
  });

export function ago(seconds: number): string {
  return new Date(Date.now() - seconds * 1_000).toISOString();
}
