// Picks the one endpoint to try for a peer, by looking at addresses only: right where machines are on one LAN or have public
// addresses. It knows nothing of what answers; a path machine that checks candidates takes its place where NATs are in the way. Pure.
import ipaddr from "ipaddr.js";
import { type Endpoint, isPrivateAddress } from "#schema/address";
import type { Candidate } from "#schema/desired-state";
import type { LocalAddress } from "../net/local-addresses.ts";

/** What the choice needs to know of this machine: made once for its addresses, not for every endpoint of every peer. */
export interface Surroundings {
  readonly ownAddresses: ReadonlySet<string>;
  readonly networks: readonly ReturnType<typeof ipaddr.parseCIDR>[];
  readonly hasPublicIpv4: boolean;
  readonly hasPublicIpv6: boolean;
}

export interface ChosenEndpoint {
  /** Null: nothing to try, wait for the peer. */
  readonly endpoint: Endpoint | null;
  /** True when packets to it leave through a NAT, as far as our own addresses tell. */
  readonly isBehindNat: boolean;
}

export function toSurroundings(local: readonly LocalAddress[]): Surroundings {
  const publicAddresses = local.filter(({ address }) => !isPrivateAddress(address));
  return {
    ownAddresses: new Set(local.map(({ address }) => address)),
    networks: local.map(({ address, prefixLength }) => ipaddr.parseCIDR(`${address}/${prefixLength}`)),
    hasPublicIpv4: publicAddresses.some(({ address }) => !address.includes(":")),
    hasPublicIpv6: publicAddresses.some(({ address }) => address.includes(":")),
  };
}

/**
 * A private endpoint only when one of our own networks contains it: elsewhere the same address is another machine. Else a public one,
 * IPv6 only when we have a public IPv6 address ourselves.
 */
export function chooseEndpoint(candidates: readonly Candidate[], surroundings: Surroundings): ChosenEndpoint {
  const { hasPublicIpv4, hasPublicIpv6 } = surroundings;
  const places = candidates.map(({ endpoint }) => toPlace(endpoint, surroundings));
  const chosen =
    places.find(({ isNear }) => isNear) ??
    (hasPublicIpv6 ? places.find(({ isPublic, isIpv6 }) => isPublic && isIpv6) : undefined) ??
    places.find(({ isPublic, isIpv6 }) => isPublic && !isIpv6);
  if (chosen === undefined) return { endpoint: null, isBehindNat: false };
  const isReachedDirectly = chosen.isIpv6 ? hasPublicIpv6 : hasPublicIpv4;
  return { endpoint: chosen.endpoint, isBehindNat: chosen.isPublic && !isReachedDirectly };
}

interface Place {
  readonly endpoint: Endpoint;
  readonly isIpv6: boolean;
  readonly isPublic: boolean;
  /** On one of our networks, and not ourselves. */
  readonly isNear: boolean;
}

function toPlace(endpoint: Endpoint, { ownAddresses, networks }: Surroundings): Place {
  const isIpv6 = endpoint.startsWith("[");
  // `ADDRESS:PORT` or `[ADDRESS]:PORT`: the schema that made it an Endpoint has checked that.
  const address = endpoint.slice(isIpv6 ? 1 : 0, endpoint.lastIndexOf(":") - (isIpv6 ? 1 : 0));
  const parsed = ipaddr.parse(address);
  const isOnNetwork = networks.some(([base, length]) => parsed.kind() === base.kind() && parsed.match(base, length));
  return {
    endpoint,
    isIpv6,
    isPublic: !isPrivateAddress(address),
    isNear: isOnNetwork && !ownAddresses.has(address),
  };
}
