// From a topology to nodes and links with their addresses. Pure; build.ts carries it out.
//
//   alice ─ eth0 ── alice ┐ home (router)              ┌ control ── eth0 ─ control
//                       [lan] ── NAT ── wan ── home ─ internet
//   bob ─── eth0 ── bob ──┘                            └ carol ──── eth0 ─ carol
//
// Addresses are of the documentation ranges (RFC 5737, RFC 3849): 192.0.2.0/24 and 2001:db8::/64 the lab's own,
// 198.51.100.0/24 and 2001:db8:2::/64 public machines, 203.0.113.0/24 and 2001:db8:1::/64 routers, 2001:db8:100+n::/64 LANs.
import { parseIpv4Cidr, renderIpv4 } from "#schema/address";
import { type Addresses, GATEWAY_IPV6, INTERNET_IPV4, type PlannedLink } from "./links.ts";
import { renderInternetRules, renderRouterRules } from "./nat.ts";
import type { Topology } from "./topology.ts";

export type NodeRole = "internet" | "control" | "router" | "machine";

export interface PlannedNode extends Addresses {
  readonly name: string;
  readonly role: NodeRole;
  /** The LAN it is on or is the router of; null when it is on the internet itself. */
  readonly lan: string | null;
  /** `key = value` lines, applied before the links exist. */
  readonly sysctls: readonly string[];
  /** Lines for `ip -batch`, applied when all links exist, before those of the links. */
  readonly ipCommands: readonly string[];
  readonly nftRules: string | null;
}

export interface LabPlan {
  readonly nodes: readonly PlannedNode[];
  readonly links: readonly PlannedLink[];
}

/** A node and its own link. */
interface Site {
  readonly node: PlannedNode;
  readonly link: PlannedLink;
}

/** Public hosts begin here in their /24, machines on a LAN too where it is big enough. */
const FIRST_HOST = 10;

export function planLab(topology: Topology): LabPlan {
  const publicMachines = topology.machines.filter((machine) => machine.lan === undefined);
  const sites = [
    planPublic({ name: "control", role: "control", network: "192.0.2.0/24", ipv4: "192.0.2.10", ipv6: "2001:db8::10" }),
    ...topology.lans.flatMap((lan, index) => planLan(lan, index, topology)),
    ...publicMachines.map(({ name, ipv6 }, index) => {
      const host = FIRST_HOST + index;
      const addresses = {
        ipv4: `198.51.100.${host}`,
        ipv6: ipv6 === "none" ? null : `2001:db8:2::${host.toString(16)}`,
      };
      return planPublic({ name, role: "machine", network: "198.51.100.0/24", ...addresses });
    }),
  ];
  return { nodes: [INTERNET, ...sites.map((site) => site.node)], links: sites.map((site) => site.link) };
}

function planPublic(host: Addresses & { name: string; role: NodeRole; network: string }): Site {
  const { name, role, network, ipv4, ipv6 } = host;
  return {
    node: { name, role, lan: null, ipv4, ipv6, sysctls: BASE_SYSCTLS, ipCommands: LOOPBACK_UP, nftRules: null },
    link: {
      near: { node: name, device: "eth0" },
      far: { node: "internet", device: name },
      network,
      uplink: { to: "internet", routedPrefix6: null },
    },
  };
}

/** A LAN's numbers. */
interface LanRange {
  readonly name: string;
  readonly network: string;
  /** The network address, as a number. */
  readonly first: number;
  /** How many machines fit beside the router. */
  readonly room: number;
  readonly gateway: string;
  /** Its IPv6 network without the length, like `2001:db8:100::`; null when it has none. */
  readonly prefix6: string | null;
}

/** A router and the machines behind it. */
function planLan(lan: Topology["lans"][number], index: number, topology: Topology): Site[] {
  const network = lan.ipv4 ?? `192.168.${index + 1}.0/24`;
  const range = parseIpv4Cidr(network);
  if (!range) throw new Error(`LAN ${lan.name}: ${network} was not checked`);
  const lanRange: LanRange = {
    name: lan.name,
    network,
    first: range.first,
    room: range.last - range.first - 2,
    gateway: renderIpv4(range.first + 1),
    prefix6: lan.ipv6 === "global" ? `2001:db8:${(0x100 + index).toString(16)}::` : null,
  };
  const behind = topology.machines.filter((machine) => machine.lan === lan.name);
  return [
    planRouter(lanRange, renderRouterRules(lan.nat), FIRST_HOST + index),
    ...behind.map(({ name }, position) => planBehind(lanRange, name, position)),
  ];
}

function planRouter({ name, network, gateway, prefix6 }: LanRange, nftRules: string, host: number): Site {
  return {
    node: {
      name,
      role: "router",
      lan: name,
      ipv4: `203.0.113.${host}`,
      ipv6: prefix6 && `2001:db8:1::${host.toString(16)}`,
      sysctls: [...BASE_SYSCTLS, ...FORWARDING_SYSCTLS],
      ipCommands: [...LOOPBACK_UP, ...planBridge(`${gateway}/${network.split("/")[1]}`, prefix6)],
      nftRules,
    },
    link: {
      near: { node: name, device: "wan" },
      far: { node: "internet", device: name },
      network: "203.0.113.0/24",
      uplink: { to: "internet", routedPrefix6: prefix6 && `${prefix6}/64` },
    },
  };
}

/** `position`: how many machines of this LAN come before it. */
function planBehind(lan: LanRange, name: string, position: number): Site {
  const firstHost = lan.room > FIRST_HOST ? FIRST_HOST : 2;
  // A full LAN wraps round to the addresses below the first host; 1 is the router.
  const host = 2 + ((firstHost - 2 + position) % lan.room);
  return {
    node: {
      name,
      role: "machine",
      lan: lan.name,
      ipv4: renderIpv4(lan.first + host),
      ipv6: lan.prefix6 && `${lan.prefix6}${host.toString(16)}`,
      sysctls: BASE_SYSCTLS,
      ipCommands: LOOPBACK_UP,
      nftRules: null,
    },
    link: {
      near: { node: name, device: "eth0" },
      far: { node: lan.name, device: name },
      network: lan.network,
      uplink: { to: "lan", gateway: lan.gateway },
    },
  };
}

function planBridge(address: string, prefix6: string | null): string[] {
  return [
    "link add lan type bridge mcast_snooping 0",
    `address add ${address} dev lan`,
    "link set lan up",
    ...(prefix6 ? [`address add ${GATEWAY_IPV6}/64 dev lan nodad`, `route add ${prefix6}/64 dev lan`] : []),
  ];
}

const LOOPBACK_UP = ["link set lo up"];

// A new namespace may inherit the host's settings (net.core.devconf_inherit_init_net), so what matters is said here.
const BASE_SYSCTLS = [
  "net.ipv6.conf.all.disable_ipv6 = 0",
  "net.ipv6.conf.default.disable_ipv6 = 0",
  "net.ipv6.conf.lo.disable_ipv6 = 0",
  // Duplicate address detection would keep addresses unusable for a second.
  "net.ipv6.conf.all.accept_dad = 0",
  "net.ipv6.conf.default.accept_dad = 0",
  "net.ipv6.conf.default.dad_transmits = 0",
  "net.ipv6.conf.default.accept_ra = 0",
  "net.ipv4.conf.all.rp_filter = 0",
  "net.ipv4.conf.default.rp_filter = 0",
  "net.ipv4.ping_group_range = 0 2147483647",
];

const FORWARDING_SYSCTLS = [
  "net.ipv4.ip_forward = 1",
  "net.ipv4.conf.all.send_redirects = 0",
  "net.ipv4.conf.default.send_redirects = 0",
  "net.ipv6.conf.all.forwarding = 1",
];

const INTERNET: PlannedNode = {
  name: "internet",
  role: "internet",
  lan: null,
  ipv4: INTERNET_IPV4,
  ipv6: null,
  sysctls: [...BASE_SYSCTLS, ...FORWARDING_SYSCTLS],
  ipCommands: LOOPBACK_UP,
  nftRules: renderInternetRules(),
};
