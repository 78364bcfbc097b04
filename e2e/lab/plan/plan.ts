// From a topology to nodes and links with their addresses. Pure; build.ts carries it out.
//
//   alice ─ eth0 ── alice ┐ home (router)              ┌ control ── eth0 ─ control
//                       [lan] ── NAT ── wan ── home ─ internet
//   bob ─── eth0 ── bob ──┘                            └ carol ──── eth0 ─ carol
//
// A LAN behind a carrier: … [lan] ── NAT ── wan ── home ─ [lan] (carrier) ── NAT ── wan ── carrier ─ internet
//
// Addresses are of the documentation ranges (RFC 5737, RFC 3849): 192.0.2.0/24 and 2001:db8::/64 the lab's own,
// 198.51.100.0/24 and 2001:db8:2::/64 public machines, 203.0.113.0/24 and 2001:db8:1::/64 routers, 2001:db8:100+n::/64 LANs.
// Routers that map ports are the exception: 203.0.114.0/24 (see lans.ts). No packet leaves the namespaces.
import { planCarrier, planLan } from "./lans.ts";
import { type Addresses, INTERNET_IPV4, type PlannedLink } from "./links.ts";
import { renderHostFirewall, renderInternetRules } from "./nat.ts";
import {
  BASE_SYSCTLS,
  FIRST_HOST,
  FORWARDING_SYSCTLS,
  LOOPBACK_UP,
  type NodeRole,
  type PlannedNode,
  type Site,
} from "./planned-node.ts";
import type { Topology } from "./topology.ts";

export interface LabPlan {
  readonly nodes: readonly PlannedNode[];
  readonly links: readonly PlannedLink[];
}

/**
 * Two STUN servers live on this node. Each has two addresses of either family: RFC 5780 asks for answers from an address
 * that was not asked.
 */
export const STUN_ADDRESSES = [
  { ipv4: ["192.0.2.20", "192.0.2.21"], ipv6: ["2001:db8::20", "2001:db8::21"] },
  { ipv4: ["192.0.2.22", "192.0.2.23"], ipv6: ["2001:db8::22", "2001:db8::23"] },
] as const;

export function planLab(topology: Topology): LabPlan {
  const publicMachines = topology.machines.filter((machine) => machine.lan === undefined);
  const sites = [
    planPublic({ name: "control", role: "control", network: "192.0.2.0/24", ipv4: "192.0.2.10", ipv6: "2001:db8::10" }),
    planStun(),
    ...topology.carriers.map((carrier, index) => planCarrier(carrier, topology.lans.length + index)),
    ...topology.lans.flatMap((lan, index) => planLan(lan, index, topology)),
    ...publicMachines.map(planMachine),
  ];
  return { nodes: [INTERNET, ...sites.map((site) => site.node)], links: sites.map((site) => site.link) };
}

function planStun(): Site {
  const [ipv4, ...more4] = STUN_ADDRESSES.flatMap((server) => server.ipv4);
  const [ipv6, ...more6] = STUN_ADDRESSES.flatMap((server) => server.ipv6);
  const host = { name: "stun", role: "stun", network: "192.0.2.0/24", ipv4: ipv4 ?? null, ipv6: ipv6 ?? null } as const;
  const site = planPublic(host);
  return { ...site, link: { ...site.link, also: [...more4, ...more6] } };
}

function planMachine({ name, ipv4, ipv6, firewall }: Topology["machines"][number], index: number): Site {
  const host = FIRST_HOST + index;
  const site = planPublic({
    name,
    role: "machine",
    network: "198.51.100.0/24",
    ipv4: ipv4 === "none" ? null : `198.51.100.${host}`,
    ipv6: ipv6 === "none" ? null : `2001:db8:2::${host.toString(16)}`,
  });
  return firewall ? { ...site, node: { ...site.node, nftRules: renderHostFirewall() } } : site;
}

function planPublic(host: Addresses & { name: string; role: NodeRole; network: string }): Site {
  const { name, role, network, ipv4, ipv6 } = host;
  const settings = { lan: null, nat: null, sysctls: BASE_SYSCTLS, ipCommands: LOOPBACK_UP, nftRules: null };
  return {
    node: { name, role, ipv4, ipv6, ...settings },
    link: {
      near: { node: name, device: "eth0" },
      far: { node: "internet", device: name },
      network,
      uplink: { to: "internet", routedPrefix6: null },
    },
  };
}

const INTERNET: PlannedNode = {
  name: "internet",
  role: "internet",
  lan: null,
  ipv4: INTERNET_IPV4,
  ipv6: null,
  nat: null,
  sysctls: [...BASE_SYSCTLS, ...FORWARDING_SYSCTLS],
  ipCommands: LOOPBACK_UP,
  nftRules: renderInternetRules(),
};
