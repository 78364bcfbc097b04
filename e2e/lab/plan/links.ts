// Virtual cables and the `ip -batch` lines of their two ends. Pure.
//
// A site's link to the internet is point-to-point: public hosts are not each other's neighbours and share no prefix, and
// a rule or a cut in the internet is about one site. Links on a LAN end in the router's bridge.
import { parseIpv4Cidr, renderIpv4 } from "#schema/address";

/** `near` is the end that a machine (or a router, as `wan`) sees; `far` is in the internet or in the LAN's router. */
export interface PlannedLink {
  readonly near: LinkEnd;
  readonly far: LinkEnd;
  /** Where the near end's IPv4 address comes from. */
  readonly network: string;
  /** More public addresses of the near end. */
  readonly also?: readonly string[];
  readonly uplink: InternetUplink | LanUplink;
}

export interface LinkEnd {
  readonly node: string;
  readonly device: string;
}

interface InternetUplink {
  readonly to: "internet";
  /** An IPv6 network that is routed to this site; null when it has none. */
  readonly routedPrefix6: string | null;
}

interface LanUplink {
  readonly to: "lan";
  readonly gateway: string;
}

export interface Addresses {
  readonly ipv4: string | null;
  readonly ipv6: string | null;
}

export const INTERNET_IPV4 = "192.0.2.1";
/** The gateway of every IPv6 link: the far end's link-local address. */
export const GATEWAY_IPV6 = "fe80::1";

/** Configures the near end. May be run again. */
export function planNearEnd(link: PlannedLink, { ipv4, ipv6 }: Addresses): string[] {
  const { device } = link.near;
  return [
    ...(ipv4 ? [`address replace ${renderNearIpv4(link, ipv4)} dev ${device}`] : []),
    ...(ipv6 ? [`address replace ${ipv6}/${link.uplink.to === "lan" ? 64 : 128} dev ${device} nodad`] : []),
    ...(link.also ?? []).map((more) => `address replace ${more}/${hostBits(more)} dev ${device}${nodad(more)}`),
    `link set ${device} up`,
    ...(ipv4 ? [renderDefaultRoute(link)] : []),
    ...(ipv6 ? [`route replace ::/0 via ${GATEWAY_IPV6} dev ${device}`] : []),
  ];
}

/** Configures the far end; run again, it mends what the link lost while it was down. */
export function planFarEnd(link: PlannedLink, { ipv4, ipv6 }: Addresses): string[] {
  const { device } = link.far;
  if (link.uplink.to === "lan") return [`link set ${device} master lan`, `link set ${device} up`];
  const { routedPrefix6 } = link.uplink;
  return [
    `address replace ${INTERNET_IPV4}/32 dev ${device}`,
    ...(ipv6 ? [`address replace ${GATEWAY_IPV6}/64 dev ${device} nodad`] : []),
    `link set ${device} up`,
    ...(ipv4 ? [`route replace ${ipv4}/32 dev ${device}`] : []),
    ...(ipv6 ? [`route replace ${ipv6}/128 dev ${device}`] : []),
    ...(link.also ?? []).map((more) => `route replace ${more}/${hostBits(more)} dev ${device}`),
    ...(ipv6 && routedPrefix6 ? [`route replace ${routedPrefix6} via ${ipv6} dev ${device}`] : []),
  ];
}

/** Moves the near end from one IPv4 address to another. */
export function planIpv4Change(
  link: PlannedLink,
  change: { from: string; to: string },
): { near: string[]; far: string[] } {
  const near = [
    `address del ${renderNearIpv4(link, change.from)} dev ${link.near.device}`,
    `address add ${renderNearIpv4(link, change.to)} dev ${link.near.device}`,
    renderDefaultRoute(link),
  ];
  if (link.uplink.to === "lan") return { near, far: [] };
  const { device } = link.far;
  return { near, far: [`route replace ${change.to}/32 dev ${device}`, `route del ${change.from}/32 dev ${device}`] };
}

/** The highest address of the link's network that is not in `taken`; null when there is none. */
export function pickIpv4(link: PlannedLink, taken: ReadonlySet<string>): string | null {
  const range = parseIpv4Cidr(link.network);
  if (!range) return null;
  const gateway = link.uplink.to === "lan" ? link.uplink.gateway : null;
  for (let value = range.last - 1; value > range.first; value--) {
    const address = renderIpv4(value);
    if (address !== gateway && !taken.has(address)) return address;
  }
  return null;
}

const hostBits = (address: string): number => (address.includes(":") ? 128 : 32);
const nodad = (address: string): string => (address.includes(":") ? " nodad" : "");

function renderNearIpv4(link: PlannedLink, ipv4: string): string {
  return `${ipv4}/${link.uplink.to === "lan" ? link.network.split("/")[1] : 32}`;
}

function renderDefaultRoute(link: PlannedLink): string {
  const { device } = link.near;
  if (link.uplink.to === "lan") return `route replace default via ${link.uplink.gateway} dev ${device}`;
  // `onlink`: the gateway is in no network of this device.
  return `route replace default via ${INTERNET_IPV4} dev ${device} onlink`;
}
