// Routers, their LANs and the machines on them; carriers, whose LAN is made of other routers' WAN sides. Pure.
import { parseIpv4Cidr, renderIpv4 } from "#schema/address";
import { GATEWAY_IPV6, type PlannedLink } from "./links.ts";
import { type RouterNat, renderRouterRules } from "./nat.ts";
import { BASE_SYSCTLS, FIRST_HOST, FORWARDING_SYSCTLS, LOOPBACK_UP, type Site } from "./planned-node.ts";
import type { Topology } from "./topology.ts";

/** RFC 6598: between a carrier's NAT and its customers' routers. Each carrier uses it, as they do. */
const CARRIER_NETWORK = "100.64.0.0/10";
const CARRIER_GATEWAY = "100.64.0.1";

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

type Lan = Topology["lans"][number];

/** The router of a LAN and the machines behind it. `index`: how many LANs come before it. */
export function planLan(lan: Lan, index: number, topology: Topology): Site[] {
  const range = toRange(lan, index);
  const behind = topology.machines.filter((machine) => machine.lan === lan.name);
  const machines = behind.map(({ name }, position) => planBehind(range, name, position));
  const router = planRouter({
    range,
    nat: { kind: lan.nat, host: machines[0]?.node.ipv4 ?? null },
    wan: planWan(lan, index, range.prefix6),
    ipv6: range.prefix6 && `2001:db8:1::${(FIRST_HOST + index).toString(16)}`,
    udpTimeoutSeconds: lan.udpTimeoutSeconds,
  });
  return [router, ...machines];
}

/** `index` counts on from the LANs: both are routers on the internet. */
export function planCarrier(carrier: Topology["carriers"][number], index: number): Site {
  const range = { name: carrier.name, network: CARRIER_NETWORK, gateway: CARRIER_GATEWAY, prefix6: null };
  const wan = { ...planInternetLink(carrier.name, null), ipv4: `203.0.113.${FIRST_HOST + index}` };
  return planRouter({ range, nat: { kind: carrier.nat, host: null }, wan, ipv6: null });
}

function toRange(lan: Lan, index: number): LanRange {
  const network = lan.ipv4 ?? `192.168.${index + 1}.0/24`;
  const range = parseIpv4Cidr(network);
  if (!range) throw new Error(`LAN ${lan.name}: ${network} was not checked`);
  return {
    name: lan.name,
    network,
    first: range.first,
    room: range.last - range.first - 2,
    gateway: renderIpv4(range.first + 1),
    prefix6: lan.ipv6 === "global" ? `2001:db8:${(0x100 + index).toString(16)}::` : null,
  };
}

interface Wan {
  readonly ipv4: string;
  readonly far: PlannedLink["far"];
  readonly network: string;
  readonly uplink: PlannedLink["uplink"];
}

function planWan(lan: Lan, index: number, prefix6: string | null): Wan {
  const { name, carrier } = lan;
  if (carrier === undefined) {
    // miniupnpd refuses to map ports of an address that is in a range for documentation.
    const network = lan.nat === "mapped" ? "203.0.114" : "203.0.113";
    return { ...planInternetLink(name, prefix6), ipv4: `${network}.${FIRST_HOST + index}`, network: `${network}.0/24` };
  }
  return {
    ipv4: `100.64.0.${FIRST_HOST + index}`,
    far: { node: carrier, device: name },
    network: CARRIER_NETWORK,
    uplink: { to: "lan", gateway: CARRIER_GATEWAY },
  };
}

function planInternetLink(name: string, prefix6: string | null): Omit<Wan, "ipv4"> {
  return {
    far: { node: "internet", device: name },
    network: "203.0.113.0/24",
    uplink: { to: "internet", routedPrefix6: prefix6 && `${prefix6}/64` },
  };
}

interface RouterInput {
  readonly range: Omit<LanRange, "first" | "room">;
  readonly nat: RouterNat;
  readonly wan: Wan;
  readonly ipv6: string | null;
  readonly udpTimeoutSeconds?: number | undefined;
}

function planRouter({ range, nat, wan, ipv6, udpTimeoutSeconds }: RouterInput): Site {
  const { name, network, gateway, prefix6 } = range;
  const { ipv4, ...link } = wan;
  return {
    node: {
      name,
      role: "router",
      lan: name,
      ipv4,
      ipv6,
      nat,
      sysctls: [...BASE_SYSCTLS, ...FORWARDING_SYSCTLS, ...planUdpTimeouts(udpTimeoutSeconds)],
      ipCommands: [...LOOPBACK_UP, ...planBridge(`${gateway}/${network.split("/")[1]}`, prefix6)],
      nftRules: renderRouterRules(nat),
    },
    link: { near: { node: name, device: "wan" }, ...link },
  };
}

/** Linux has one for a lone packet (30 s) and one for a conversation (120 s). */
function planUdpTimeouts(seconds: number | undefined): string[] {
  if (seconds === undefined) return [];
  return ["udp_timeout", "udp_timeout_stream"].map((name) => `net.netfilter.nf_conntrack_${name} = ${seconds}`);
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
      nat: null,
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
