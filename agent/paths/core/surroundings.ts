// Which networks this machine is on, and what it can reach from there. Pure.
import ipaddr from "ipaddr.js";
import { type Endpoint, isPrivateAddress, parseEndpoint } from "#schema/address";
import type { LocalAddress } from "../../net/local-addresses.ts";

/** Made once for the machine's addresses, not for every endpoint of every peer. */
export interface Surroundings {
  readonly ownAddresses: ReadonlySet<string>;
  readonly networks: readonly ReturnType<typeof ipaddr.parseCIDR>[];
  readonly hasIpv4: boolean;
  readonly hasIpv6: boolean;
  readonly hasPublicIpv4: boolean;
  readonly hasPublicIpv6: boolean;
}

export function toSurroundings(local: readonly LocalAddress[]): Surroundings {
  const isIpv6 = ({ address }: LocalAddress) => address.includes(":");
  const publicAddresses = local.filter(({ address }) => !isPrivateAddress(address));
  return {
    ownAddresses: new Set(local.map(({ address }) => address)),
    networks: local.map(({ address, prefixLength }) => ipaddr.parseCIDR(`${address}/${prefixLength}`)),
    hasIpv4: local.some((one) => !isIpv6(one)),
    hasIpv6: local.some(isIpv6),
    hasPublicIpv4: publicAddresses.some((one) => !isIpv6(one)),
    hasPublicIpv6: publicAddresses.some(isIpv6),
  };
}

export interface Place {
  readonly isIpv6: boolean;
  /** Hosts elsewhere can reach it. */
  readonly isPublic: boolean;
  /** On one of our networks, and not ourselves. */
  readonly isNear: boolean;
  /** This machine has an address of the family, and it is not its own. */
  readonly isReachable: boolean;
}

export function toPlace(endpoint: Endpoint, surroundings: Surroundings): Place {
  const { ownAddresses, networks, hasIpv4, hasIpv6 } = surroundings;
  const address = parseEndpoint(endpoint)?.address ?? "0.0.0.0";
  const parsed = ipaddr.parse(address);
  const isIpv6 = parsed.kind() === "ipv6";
  const isOwn = ownAddresses.has(address);
  const isOnNetwork = networks.some(([base, length]) => parsed.kind() === base.kind() && parsed.match(base, length));
  return {
    isIpv6,
    isPublic: !isPrivateAddress(address),
    isNear: isOnNetwork && !isOwn,
    isReachable: (isIpv6 ? hasIpv6 : hasIpv4) && !isOwn,
  };
}
