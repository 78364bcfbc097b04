// The kinds of network that the grid compares, and a lab with two machines of each: `a` and `b`. A cell is the `a` of one kind and the `b` of
// another, so every ordered pair of kinds has a pair of machines, and machines of one kind meet too. Pure.
import type { TopologyInput } from "../lab/plan/topology.ts";

export const NETWORK_KINDS = [
  "public",
  "easy",
  "mapped",
  "hard",
  "full-cone",
  "same-lan",
  "carrier",
  "blocked",
  "ipv6-only",
  "firewalled",
] as const;
export type NetworkKind = (typeof NETWORK_KINDS)[number];

/** In words, for the table. */
export const KIND_WORDS: Record<NetworkKind, string> = {
  public: "public IPv4 and IPv6 address",
  easy: "behind an easy NAT",
  mapped: "behind an easy NAT that maps ports (UPnP, NAT-PMP, PCP)",
  hard: "behind a hard NAT",
  "full-cone": "behind a full-cone NAT",
  "same-lan": "two machines on one LAN behind an easy NAT",
  carrier: "behind an easy NAT behind a carrier's easy NAT",
  blocked: "behind a NAT that drops UDP",
  "ipv6-only": "public IPv6 address, no IPv4",
  firewalled: "public address, a firewall that drops what comes unasked",
};

export type Side = "a" | "b";

export const machineName = (kind: NetworkKind, side: Side): string => `${kind}-${side}`;

export function gridTopology(kinds: readonly NetworkKind[] = NETWORK_KINDS): TopologyInput {
  const parts = kinds.map((kind) => PARTS[kind]());
  return {
    carriers: parts.flatMap(({ carriers = [] }) => carriers),
    lans: parts.flatMap(({ lans = [] }) => lans),
    machines: parts.flatMap(({ machines }) => machines),
  };
}

const behind = (kind: NetworkKind, nat: "easy" | "mapped" | "hard" | "full-cone" | "blocked"): TopologyInput => ({
  lans: [
    { name: `${kind}-lan-a`, nat },
    { name: `${kind}-lan-b`, nat },
  ],
  machines: [
    { name: machineName(kind, "a"), lan: `${kind}-lan-a` },
    { name: machineName(kind, "b"), lan: `${kind}-lan-b` },
  ],
});

const open = (kind: NetworkKind, options: { ipv4?: "none"; firewall?: true } = {}): TopologyInput => ({
  machines: [
    { name: machineName(kind, "a"), ...options },
    { name: machineName(kind, "b"), ...options },
  ],
});

const PARTS: Record<NetworkKind, () => TopologyInput> = {
  public: () => open("public"),
  easy: () => behind("easy", "easy"),
  mapped: () => behind("mapped", "mapped"),
  hard: () => behind("hard", "hard"),
  "full-cone": () => behind("full-cone", "full-cone"),
  "same-lan": () => ({
    lans: [{ name: "same-lan", nat: "easy" }],
    machines: [
      { name: machineName("same-lan", "a"), lan: "same-lan" },
      { name: machineName("same-lan", "b"), lan: "same-lan" },
    ],
  }),
  carrier: () => ({
    carriers: [{ name: "carrier-net-a" }, { name: "carrier-net-b" }],
    lans: [
      { name: "carrier-lan-a", nat: "easy", carrier: "carrier-net-a" },
      { name: "carrier-lan-b", nat: "easy", carrier: "carrier-net-b" },
    ],
    machines: [
      { name: machineName("carrier", "a"), lan: "carrier-lan-a" },
      { name: machineName("carrier", "b"), lan: "carrier-lan-b" },
    ],
  }),
  blocked: () => behind("blocked", "blocked"),
  "ipv6-only": () => open("ipv6-only", { ipv4: "none" }),
  firewalled: () => open("firewalled", { firewall: true }),
};
