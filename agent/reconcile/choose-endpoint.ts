// Picks the one endpoint to try for a peer, by looking at addresses only: right where machines are on one LAN or have public
// addresses. It knows nothing of what answers; a path machine that checks candidates takes its place where NATs are in the way. Pure.
import { type Endpoint, isInside, isPrivateAddress, parseEndpoint } from "#schema/address";
import type { Candidate } from "#schema/desired-state";
import type { LocalAddress } from "../net/local-addresses.ts";

/**
 * A private endpoint only when one of our own networks contains it: elsewhere the same address is another machine. Else a public one,
 * IPv6 only when we have a public IPv6 address ourselves. Null: nothing to try, wait for the peer.
 */
export function chooseEndpoint(candidates: readonly Candidate[], local: readonly LocalAddress[]): Endpoint | null {
  const endpoints = candidates.map(({ endpoint }) => endpoint);
  const isOurs = (endpoint: Endpoint) => local.some(({ address }) => parseEndpoint(endpoint)?.address === address);
  const isNear = (endpoint: Endpoint) => !isOurs(endpoint) && local.some((own) => isOnNetwork(endpoint, own));
  const isPublic6 = (endpoint: Endpoint) => isPublicEndpoint(endpoint) && isIpv6(endpoint);
  const isPublic4 = (endpoint: Endpoint) => isPublicEndpoint(endpoint) && !isIpv6(endpoint);
  return (
    endpoints.find(isNear) ??
    (hasPublicAddress(local, "ipv6") ? endpoints.find(isPublic6) : undefined) ??
    endpoints.find(isPublic4) ??
    null
  );
}

/** True when packets to the endpoint leave through a NAT, as far as our own addresses tell. */
export function isBehindNatTowards(endpoint: Endpoint, local: readonly LocalAddress[]): boolean {
  return isPublicEndpoint(endpoint) && !hasPublicAddress(local, isIpv6(endpoint) ? "ipv6" : "ipv4");
}

function isOnNetwork(endpoint: Endpoint, { address, prefixLength }: LocalAddress): boolean {
  const parts = parseEndpoint(endpoint);
  return parts !== null && isInside(parts.address, `${address}/${prefixLength}`);
}

function hasPublicAddress(local: readonly LocalAddress[], family: "ipv4" | "ipv6"): boolean {
  return local.some(({ address }) => address.includes(":") === (family === "ipv6") && !isPrivateAddress(address));
}

function isPublicEndpoint(endpoint: Endpoint): boolean {
  const parts = parseEndpoint(endpoint);
  return parts !== null && !isPrivateAddress(parts.address);
}

function isIpv6(endpoint: Endpoint): boolean {
  return endpoint.startsWith("[");
}
