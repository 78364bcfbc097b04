// Which networks this machine is on, and what it can reach from there. Pure.
//
// Where a check may go is decided here and nowhere else: what peers and the control plane tell may name any address, and the one who sends
// is root. Nothing goes to this machine itself, to many at once, or into a tunnel of ours, where a peer's answer would make the tunnel its
// own endpoint.
import ipaddr from "ipaddr.js";
import { type Endpoint, isPrivateAddress, parseEndpoint } from "#schema/address";
import type { LocalAddress } from "../../net/local-addresses.ts";

type Network = ReturnType<typeof ipaddr.parseCIDR>;
type Address = ReturnType<typeof ipaddr.parse>;

/** Made once for the machine's addresses, not for every endpoint of every peer. */
export interface Surroundings {
  readonly ownAddresses: ReadonlySet<string>;
  readonly networks: readonly Network[];
  /** Broadcast addresses of these. */
  readonly broadcasts: ReadonlySet<string>;
  /** The networks of all meshes that this machine is in. */
  readonly meshNetworks: readonly Network[];
  /** What is routed into them. */
  readonly routedNetworks: readonly Network[];
  readonly hasIpv4: boolean;
  readonly hasIpv6: boolean;
  readonly hasPublicIpv6: boolean;
}

/** @param meshes the CIDRs of all meshes that this machine is in; @param routed what is behind their members */
export function toSurroundings(
  local: readonly LocalAddress[],
  { meshes, routed }: { readonly meshes: readonly string[]; readonly routed: readonly string[] } = NO_TUNNELS,
): Surroundings {
  const isIpv6 = ({ address }: LocalAddress) => address.includes(":");
  const publicAddresses = local.filter(({ address }) => !isPrivateAddress(address));
  return {
    ownAddresses: new Set(local.map(({ address }) => address)),
    networks: local.map(({ address, prefixLength }) => ipaddr.parseCIDR(`${address}/${prefixLength}`)),
    broadcasts: new Set(local.filter((one) => !isIpv6(one)).flatMap(toBroadcast)),
    meshNetworks: meshes.map((cidr) => ipaddr.parseCIDR(cidr)),
    routedNetworks: routed.map((cidr) => ipaddr.parseCIDR(cidr)),
    hasIpv4: local.some((one) => !isIpv6(one)),
    hasIpv6: local.some(isIpv6),
    hasPublicIpv6: publicAddresses.some(isIpv6),
  };
}

const NO_TUNNELS = { meshes: [], routed: [] };

/** Networks of one or two hosts have none (RFC 3021). */
function toBroadcast({ address, prefixLength }: LocalAddress): string[] {
  return prefixLength > 30 ? [] : [ipaddr.IPv4.broadcastAddressFromCIDR(`${address}/${prefixLength}`).toString()];
}

export interface Place {
  readonly isIpv6: boolean;
  /** Hosts elsewhere can reach it. */
  readonly isPublic: boolean;
  /** On one of our networks, and not ourselves. */
  readonly isNear: boolean;
  /** This machine has an address of the family, and it is another host's that packets reach outside of our tunnels. */
  readonly isReachable: boolean;
}

export function toPlace(endpoint: Endpoint, surroundings: Surroundings): Place {
  const { ownAddresses, networks, broadcasts, hasIpv4, hasIpv6 } = surroundings;
  const address = parseEndpoint(endpoint)?.address ?? "0.0.0.0";
  const parsed = ipaddr.parse(address);
  const isIpv6 = parsed.kind() === "ipv6";
  const isOwn = ownAddresses.has(address);
  const isHost = !isOwn && !broadcasts.has(address) && isUnicast(parsed) && !isInTunnel(parsed, surroundings);
  return {
    isIpv6,
    isPublic: !isPrivateAddress(address),
    isNear: !isOwn && networks.some((network) => isWithin(parsed, network)),
    isReachable: (isIpv6 ? hasIpv6 : hasIpv4) && isHost,
  };
}

/** A link-local address means nothing without its interface, and 169.254.169.254 is a cloud's. */
const REFUSED_RANGES = new Set(["unspecified", "loopback", "linkLocal", "multicast", "broadcast", "ipv4Mapped"]);
/** Class E: nobody's (RFC 1112 section 4). ipaddr.js has it under `reserved`, as it has the documentation's networks. */
const RESERVED = ipaddr.parseCIDR("240.0.0.0/4");

const isUnicast = (address: Address): boolean => !REFUSED_RANGES.has(address.range()) && !isWithin(address, RESERVED);

/**
 * The kernel takes the most specific route: a LAN that lies inside a mesh's network is still reached directly. Of two that are equal, the
 * machine's own comes before what BIRD routes into a mesh (its metric is high), as its own default route does.
 */
function isInTunnel(address: Address, { networks, meshNetworks, routedNetworks }: Surroundings): boolean {
  const longest = (of: readonly Network[]) =>
    Math.max(-1, ...of.filter((network) => isWithin(address, network)).map(([, length]) => length));
  const own = Math.max(0, longest(networks));
  return longest(meshNetworks) >= own || longest(routedNetworks) > own;
}

function isWithin(address: Address, [base, length]: Network): boolean {
  return address.kind() === base.kind() && address.match(base, length);
}
