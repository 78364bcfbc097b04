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
  return path.kind === "direct" && !toPlace(path.endpoint, local.surroundings).isNear && isForgetting(peer.nat);
}

/** Something on our side of this direct path forgets it. */
export function needsKeepalive({ path, local }: Pick<PathState, "path" | "local">): boolean {
  if (path.kind !== "direct") return false;
  const { isNear, isPublic } = toPlace(path.endpoint, local.surroundings);
  return !isNear && (!isPublic || isForgetting(local.nat));
}

/**
 * A NAT, or a firewall that lets in only answers, for either family: a router with a NAT for IPv4 has most likely a firewall for IPv6. What is not
 * known to be open counts as closed: most STUN servers can't tell, and a path that was forgotten costs WireGuard 5 s.
 */
const isForgetting = (nat: NatSummary | null): boolean =>
  nat === null || nat.mapping !== "none" || nat.filtering !== "endpoint-independent";
