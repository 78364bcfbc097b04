// Why a pair talks the way it does: what was tried, what stands in the way, what comes next. Pure.

import type { Endpoint } from "#schema/address";
import { NAT_WORDS } from "#schema/nat";
import type { CandidateOutcome, PathReason, PathReasonCode, PeerConnectivity } from "#schema/path";
import { isHardPair, isHopeless, isViable } from "./candidates.ts";
import { canCheck, isActive, isKept, isWanted, isWithin } from "./conditions.ts";
import { isRelayAllowed, toRelayRetryMs } from "./fallback-path.ts";
import { isDead, isDoubtful } from "./liveness.ts";
import type { PathState, Try } from "./path-state.ts";
import { PATH_TIMES } from "./path-times.ts";

export function toPathReason(state: PathState, nowMs: number): PathReason {
  const code = toCode(state, nowMs);
  return { code, message: toMessage(code, state, nowMs) };
}

function toCode(state: PathState, nowMs: number): PathReasonCode {
  const { path, relay } = state;
  if (path.kind === "direct") return isDead(state, nowMs) ? "path_died" : "direct";
  if (path.kind === "transit") return "transit_chosen";
  if (path.kind === "none") {
    if (!isWanted(state, nowMs)) return "idle";
    if (state.isPeerOffline) return "peer_offline";
    const isMissed = relay.kind === "refused" && isActive(state, nowMs, PATH_TIMES.activeFor);
    if (isMissed && isRelayAllowed(state)) return "relay_unavailable";
  }
  return toObstacle(state, nowMs);
}

/** Why there is no direct path, the surest cause first. */
function toObstacle(state: PathState, nowMs: number): PathReasonCode {
  const { local, peer, round, roundsFailed, tries } = state;
  if (!canCheck(state)) return "checks_unavailable";
  if (local.nat?.isUdpOpen === false) return "udp_blocked_here";
  if (peer.nat?.isUdpOpen === false) return "udp_blocked_there";
  if (isWithin(state.diedAtMs, nowMs, PATH_TIMES.distrustFor)) return "path_died";
  if (isHardPair(state) && (isHopeless(state) || round === null)) return "hard_nats";
  if (tries.size === 0) return "no_candidates";
  if (![...tries.keys()].some((endpoint) => isViable(endpoint, local))) return "no_common_family";
  if (round !== null || roundsFailed === 0) return isWanted(state, nowMs) ? "checking" : "idle";
  return "no_answer";
}

function toMessage(code: PathReasonCode, state: PathState, nowMs: number): string {
  const { path } = state;
  if (path.kind === "direct") return toDirectMessage(code, state, nowMs);
  if (path.kind === "transit") {
    return `transit: no direct path works, and the mesh sends such pairs through the gateway ${path.gatewayId}, which decrypts; ${toNext(state, nowMs)}`;
  }
  if (code === "idle") {
    return "idle: nothing was sent lately, so nothing is kept open; the first packet opens a path";
  }
  return `${toHow(state, nowMs)}: ${toCause(code, state, nowMs)}; ${toNext(state, nowMs)}`;
}

function toDirectMessage(code: PathReasonCode, state: PathState, nowMs: number): string {
  const { path, tries, local, peer, missed } = state;
  if (path.kind !== "direct") return "";
  if (code === "path_died") {
    return `direct, but silent: ${path.endpoint} answers neither checks nor packets, and there is no relay yet; others are tried`;
  }
  if (canCheck(state) && isDoubtful(state, nowMs)) {
    return `direct, but in doubt: ${path.endpoint} has not answered the last ${missed} checks, and nothing comes from it; another path is made ready`;
  }
  if (path.isProved) return `direct: ${path.endpoint} answers checks${toTime(tries.get(path.endpoint))}`;
  if (canCheck({ local, peer }))
    return `direct: packets come from ${path.endpoint}, which has not answered a check yet`;
  return `direct: ${path.endpoint} looks reachable; it can't be checked, because ${toChecksProblem({ local })}`;
}

/** Nothing shows that the path in use still works: what is sent on it may be lost. */
export const isInDoubt = (state: PathState, nowMs: number): boolean => isDoubtful(state, nowMs) || isDead(state, nowMs);

const toTime = (known: Try | undefined): string =>
  known?.roundTripMs == null ? "" : ` in ${Math.max(1, Math.round(known.roundTripMs))} ms`;

function toHow(state: PathState, nowMs: number): string {
  if (state.path.kind === "relayed") return "relayed";
  return isActive(state, nowMs, PATH_TIMES.lazyIdle) ? "no path" : "not connected";
}

function toCause(code: PathReasonCode, state: PathState, nowMs: number): string {
  const { local, peer, relay, tries, diedAtMs } = state;
  switch (code) {
    case "checks_unavailable":
      return `a direct path can't be proved, because ${toChecksProblem({ local })}`;
    case "udp_blocked_here":
      return "this machine's network lets no UDP through";
    case "udp_blocked_there":
      return "the other machine's network lets no UDP through";
    case "hard_nats":
      return `both machines are behind hard NATs, which give every destination another port (here ${toWords(local.nat)}, there ${toWords(peer.nat)})`;
    case "no_candidates":
      return "the other machine has not told any endpoint yet";
    case "no_common_family":
      return "the machines have no address family in common, or all its endpoints are this machine's own addresses";
    case "checking":
      return `${countOf(tries.size)} of the other machine ${tries.size === 1 ? "is" : "are"} being checked`;
    case "no_answer":
      return `no answer from ${tries.size === 1 ? "the one endpoint" : `any of ${countOf(tries.size)}`} of the other machine (here ${toWords(local.nat)}, there ${toWords(peer.nat)})`;
    case "path_died":
      return `the direct path stopped answering ${toSeconds(nowMs - (diedAtMs ?? nowMs))} ago`;
    case "peer_offline":
      return "the other machine is not connected to the control plane, and answers no checks";
    case "relay_unavailable":
      return `no direct path yet, and no relay: ${relay.kind === "refused" ? relay.message : "none was opened"}`;
    default:
      return "nothing was found yet";
  }
}

const countOf = (count: number): string => (count === 1 ? "1 endpoint" : `${count} endpoints`);
const toWords = (nat: PathState["local"]["nat"]): string => NAT_WORDS[nat?.mapping ?? "unknown"];
const toChecksProblem = ({ local }: Pick<PathState, "local">): string =>
  local.canCheck
    ? "the other machine can't answer checks from WireGuard's port"
    : "this machine can't send checks from WireGuard's port (nftables is missing or refuses)";

function toNext(state: PathState, nowMs: number): string {
  const nextMs = toNextTryMs(state, nowMs);
  if (state.round !== null) return "a direct path is being tried right now";
  if (nextMs === null) return "tried again when a network changes";
  return `tried again in ${toSeconds(nextMs - nowMs)}, and at once when a network changes`;
}

const toSeconds = (ms: number): string => `${Math.max(1, Math.round(ms / 1_000))} s`;

/** What others read is by the wall clock. */
type ToWallMs = (atMs: number) => number;

/** When a better path is tried next; null: when something changes. */
export function toNextTryAt(state: PathState, nowMs: number, toWallMs: ToWallMs): string | null {
  const nextMs = toNextTryMs(state, nowMs);
  return nextMs === null ? null : new Date(toWallMs(nextMs)).toISOString();
}

function toNextTryMs(state: PathState, nowMs: number): number | null {
  const { round, nextRoundAtMs, path, relay } = state;
  if (path.kind === "direct" && path.isProved && state.missed === 0) return null;
  if (round !== null) return nowMs;
  const times: number[] = [];
  if (nextRoundAtMs !== null && canCheck(state) && isWanted(state, nowMs)) times.push(nextRoundAtMs);
  if (path.kind === "none" && relay.kind === "refused" && isKept(state, nowMs))
    times.push(toRelayRetryMs(state, nowMs));
  return times.length === 0 ? null : Math.max(nowMs, Math.min(...times));
}

export function toConnectivity(state: PathState, nowMs: number): PeerConnectivity {
  const { path, relay, round } = state;
  if (path.kind === "direct") return isDead(state, nowMs) ? "down" : "up";
  if (path.kind !== "none") return "up";
  if (!isWanted(state, nowMs)) return "idle";
  const isOpening = relay.kind === "wanted" || relay.kind === "open";
  const isFirst = round !== null && state.roundsFailed === 0;
  if (isActive(state, nowMs, PATH_TIMES.activeFor)) return relay.kind === "refused" ? "down" : "connecting";
  return isFirst || (isOpening && !state.isPeerOffline) ? "connecting" : "down";
}

/** An answer to a check of the newest round, or of the path in use, is not older than this. */
const FRESH_MS = PATH_TIMES.roundEnds + PATH_TIMES.heartbeat;

export function toCandidateOutcomes(state: PathState, nowMs: number, toWallMs: ToWallMs): CandidateOutcome[] {
  return [...state.tries].map(([endpoint, known]) => ({
    endpoint,
    type: known.type,
    outcome: toOutcome(state, [endpoint, known], nowMs),
    roundTripMs: known.roundTripMs === null ? null : Math.round(known.roundTripMs * 10) / 10,
    lastTriedAt: known.sentAtMs === null ? null : new Date(toWallMs(known.sentAtMs)).toISOString(),
  }));
}

function toOutcome(
  state: PathState,
  [endpoint, { sentAtMs, answeredAtMs }]: readonly [Endpoint, Try],
  nowMs: number,
): CandidateOutcome["outcome"] {
  if (!isViable(endpoint, state.local)) return "unreachable";
  if (sentAtMs === null) return answeredAtMs === null ? "untried" : "answered";
  if (answeredAtMs !== null && sentAtMs - answeredAtMs < FRESH_MS) return "answered";
  return state.round !== null || nowMs - sentAtMs < PATH_TIMES.doubtAfter ? "checking" : "no_answer";
}
