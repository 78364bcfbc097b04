// How often WireGuard has to send on a path so that it stays open. Pure.
import type { NatSummary } from "#schema/nat";
import { isKept } from "./conditions.ts";
import type { PathState } from "./path-state.ts";
import { toPlace } from "./surroundings.ts";

/** 25 s is under the 30 s after which common NATs forget a mapping; more is earned by measuring. */
export const DEFAULT_KEEPALIVE_SECONDS = 25;

/** Of what a NAT was seen to outlive, the share that is relied on. */
const SHARE = 0.9;

export function toKeepaliveSeconds(mappingLifetimeSeconds: number | null): number {
  return mappingLifetimeSeconds === null
    ? DEFAULT_KEEPALIVE_SECONDS
    : Math.max(10, Math.floor(mappingLifetimeSeconds * SHARE));
}

/** Seconds, 0 is off: only on a direct path, only from the side whose NAT or firewall would forget it, and only while it is to be kept. */
export function toKeepalive(state: PathState, nowMs: number): number {
  const isDue = state.path.kind === "direct" && isKept(state, nowMs) && needsKeepalive(state);
  return isDue ? state.local.keepaliveSeconds : 0;
}

/** Without packets one of the two sides, or both, would forget this path. */
export const isForgetful = (state: PathState): boolean => needsKeepalive(state) || isForgottenByPeer(state);

function isForgottenByPeer({ path, local, peer }: PathState): boolean {
  if (path.kind !== "direct" || toPlace(path.endpoint, local.surroundings).isNear) return false;
  return peer.nat === null || peer.nat.mapping !== "none" || isFiltered(peer.nat);
}

/** Something on our side of this direct path forgets it. */
export function needsKeepalive({ path, local }: Pick<PathState, "path" | "local">): boolean {
  if (path.kind !== "direct") return false;
  const { isNear, isIpv6, isPublic } = toPlace(path.endpoint, local.surroundings);
  if (isNear) return false;
  if (!isPublic) return true;
  const { nat, surroundings } = local;
  // A machine without a NAT may still have a firewall that lets in only answers.
  if (nat !== null && isFiltered(nat)) return true;
  if (nat?.mapping === "none") return false;
  return isIpv6 ? !isOpenIpv6(nat, surroundings) : nat !== null || !surroundings.hasPublicIpv4;
}

const isFiltered = ({ filtering }: NatSummary): boolean =>
  filtering === "address-dependent" || filtering === "address-and-port-dependent";

/** Behind a NAT for IPv4, the router has most likely a firewall for IPv6. */
const isOpenIpv6 = (
  nat: NatSummary | null,
  { hasPublicIpv4, hasPublicIpv6 }: PathState["local"]["surroundings"],
): boolean => nat === null && hasPublicIpv4 && hasPublicIpv6;
