// What carries a pair that has no direct path: a relay, a gateway (transit-path.ts), or nothing. Part of the path machine.
//
// A relay opens because of traffic, or because checks ended without a direct path; never merely because a peer exists.
import { isHopeless, toGuess } from "./candidates.ts";
import { canCheck, isActive, isKept, isWanted, isWithin } from "./conditions.ts";
import { change, type Draft, notePeerAlive, takePath } from "./draft.ts";
import { forgetOpened } from "./guessing.ts";
import { isDead, isDoubtful, isGone } from "./liveness.ts";
import type { PathState } from "./path-state.ts";
import { PATH_TIMES } from "./path-times.ts";
import { settleTransit } from "./transit-path.ts";

export function settleFallback(draft: Draft): void {
  guessWhereUnchecked(draft);
  giveUpRelay(draft);
  openWhereNeeded(draft);
  leaveDeadPath(draft);
  closeWhereDone(draft);
  settleTransit(draft);
}

/** Where checks can't be made, a plausible endpoint is tried as it is; WireGuard's handshake is the only proof. */
function guessWhereUnchecked(draft: Draft): void {
  const { state, nowMs } = draft;
  if (canCheck(state) || state.path.kind !== "none" || state.relay.kind === "ready") return;
  if (isWithin(state.diedAtMs, nowMs, PATH_TIMES.distrustFor)) return;
  const endpoint = toGuess(state);
  const type = state.peer.candidates.find((candidate) => candidate.endpoint === endpoint)?.type;
  // It needs no hole to be punched: it is on our network, or has no NAT.
  const isPlausible = type === "host" || type === "static" || type === "port_mapped";
  if (endpoint !== null && isPlausible) takePath(draft, { kind: "direct", endpoint, isProved: false });
}

/** No ticket came, or nobody came to the relay, or nothing comes out of it. */
function giveUpRelay(draft: Draft): void {
  const { state, nowMs } = draft;
  const { relay } = state;
  if (relay.kind === "closed" || relay.kind === "refused") return;
  const ageMs = nowMs - relay.sinceMs;
  const isNeeded = isActive(state, nowMs, PATH_TIMES.activeFor) && isRelayNeeded(state, nowMs);
  if (relay.kind === "wanted" && ageMs >= PATH_TIMES.relayAnswer) {
    loseRelay(draft, { code: NO_ANSWER, message: "the control plane does not answer" });
  } else if (relay.kind === "open" && isNeeded && ageMs >= PATH_TIMES.relayAlone) {
    loseRelay(draft, { code: "peer_absent", message: "the other machine does not come to the relay" });
  } else if (relay.kind === "ready" && isStale(state, nowMs) && ageMs >= PATH_TIMES.relayStale) {
    loseRelay(draft, { code: "relay_silent", message: "nothing comes out of the relay" });
  }
}

const isStale = ({ path, unansweredSinceMs, lastTxMs }: PathState, nowMs: number): boolean =>
  path.kind === "relayed" &&
  unansweredSinceMs !== null &&
  nowMs - unansweredSinceMs >= PATH_TIMES.relayStale &&
  isWithin(lastTxMs, nowMs, PATH_TIMES.relayStale);

function openWhereNeeded(draft: Draft): void {
  const { state, nowMs } = draft;
  if (state.relay.kind !== "closed" && state.relay.kind !== "refused") return;
  if (!isRelayAllowed(state) || !isRelayNeeded(state, nowMs)) return;
  if (state.relay.kind === "refused" && nowMs < toRelayRetryMs(state, nowMs)) return;
  change(draft, { relay: { kind: "wanted", sinceMs: nowMs } });
  draft.actions.push({ type: "request_relay" });
}

export function isRelayNeeded(state: PathState, nowMs: number): boolean {
  if (state.path.kind === "direct") return isDoubtful(state, nowMs);
  if (state.path.kind === "transit") return false;
  if (isActive(state, nowMs, PATH_TIMES.activeFor)) return true;
  if (!isKept(state, nowMs) || state.isPeerOffline || !canCheck(state)) return false;
  return state.roundsFailed > 0 || isHopeless(state);
}

export const isRelayAllowed = ({ local, transitGatewayId }: PathState): boolean =>
  local.fallback !== "transit" && transitGatewayId === null;

const NO_ANSWER = "no_answer";

/** When a relay that was refused is asked for again. */
export function toRelayRetryMs(state: PathState, nowMs: number): number {
  const { relay, isPeerOffline } = state;
  if (relay.kind !== "refused") return nowMs;
  if (!isActive(state, nowMs, PATH_TIMES.activeFor)) return relay.retryAtMs;
  // A request that nobody answered has waited already.
  if (relay.code === NO_ANSWER) return relay.sinceMs;
  const longest = isPeerOffline ? PATH_TIMES.relayPauseOffline : PATH_TIMES.relayPauseActive;
  return Math.min(relay.retryAtMs, relay.sinceMs + longest);
}

/** Only to something that works: while there is nothing better, a path that seems dead stays. */
function leaveDeadPath(draft: Draft): void {
  const { state, nowMs } = draft;
  const isRelayReady = state.relay.kind === "ready";
  if (isRelayReady && state.path.kind === "none") takePath(draft, { kind: "relayed" });
  else if (isGone(state, nowMs) || (isRelayReady && isDead(state, nowMs))) {
    takePath(draft, { kind: isRelayReady ? "relayed" : "none" });
    noteDeath(draft);
  }
}

function noteDeath(draft: Draft): void {
  const { state, nowMs } = draft;
  change(draft, {
    ...{ diedAtMs: nowMs, strayedAtMs: nowMs, answersSinceDeath: 0, answeringSinceMs: null },
    ...{ missed: 0, unansweredSinceMs: null },
    nextRoundAtMs: state.round === null ? nowMs : null,
  });
}

function closeWhereDone(draft: Draft): void {
  const { state, nowMs } = draft;
  const { relay } = state;
  if (relay.kind === "closed" || relay.kind === "refused") return;
  const isShaky = state.missed > 0 && isActive(state, nowMs, PATH_TIMES.activeFor);
  const isReplaced = nowMs >= toRelayEndMs(state) && !isShaky;
  const isForbidden = state.local.fallback === "transit";
  if (!isReplaced && !isForbidden && isWanted(state, nowMs)) return;
  change(draft, { relay: { kind: "closed" }, relayFailures: 0 });
  draft.actions.push({ type: "close_relay" });
  if (draft.state.path.kind === "relayed") takePath(draft, { kind: "none" });
}

/** A relay that something better took the place of is kept for as long as the peer may still use it. */
export function toRelayEndMs({ path, sinceMs, relay, lastRelayRxMs }: PathState): number {
  if (path.kind !== "direct" && path.kind !== "transit") return Number.POSITIVE_INFINITY;
  const openedAtMs = "sinceMs" in relay ? relay.sinceMs : 0;
  return Math.max(sinceMs, openedAtMs, lastRelayRxMs ?? 0) + PATH_TIMES.relayLinger;
}

/** The relay is there: it carries the pair unless there is something better. */
export function takeRelay(draft: Draft, isPresent: boolean): void {
  const { state, nowMs } = draft;
  const isInvited = state.relay.kind === "closed" || state.relay.kind === "refused";
  // Who was there and left comes back soon, or not by waiting.
  const hasLeft = state.relay.kind === "ready" && !isPresent;
  const sinceMs = hasLeft ? nowMs - (PATH_TIMES.relayAlone - PATH_TIMES.relayLeft) : nowMs;
  const hasWorked = hasLeft && isSettled(state, nowMs);
  change(draft, {
    ...(hasWorked ? { relayFailures: 0 } : {}),
    relay: { kind: isPresent ? "ready" : "open", sinceMs },
    ...(isInvited ? { peerAskedAtMs: nowMs } : {}),
    // What was sent before says nothing of this relay.
    ...(isPresent && state.path.kind !== "direct" ? { unansweredSinceMs: null } : {}),
  });
  if (isPresent || isInvited) notePeerAlive(draft);
  if (!isPresent && state.path.kind === "relayed") takePath(draft, { kind: "none" });
}

const isSettled = ({ relay }: PathState, nowMs: number): boolean =>
  relay.kind === "ready" && nowMs - relay.sinceMs >= PATH_TIMES.relayLinger;

/** What the control plane answers to a request; it says nothing of a relay that is there. */
const REFUSALS = new Set(["peer_offline", "rate_limited", "member_not_found", "relay_not_allowed"]);

export function takeRelayEnd(draft: Draft, end: { readonly code: string; readonly message: string }): void {
  if (draft.state.relay.kind === "ready" && REFUSALS.has(end.code)) return;
  loseRelay(draft, end);
}

function loseRelay(draft: Draft, end: { readonly code: string; readonly message: string }): void {
  const { state, nowMs } = draft;
  const { relay } = state;
  const isSilent = end.code === "relay_silent";
  const hasWorked = isSettled(state, nowMs) && !isSilent;
  const relayFailures = hasWorked ? 1 : state.relayFailures + 1;
  const pauses = PATH_TIMES.relayPauses;
  const pauseMs = pauses[Math.min(relayFailures, pauses.length) - 1] ?? 0;
  const isPeerOffline = end.code === "peer_offline";
  const shortest = isPeerOffline ? PATH_TIMES.relayPauseOffline : 0;
  const retryAtMs = nowMs + Math.max(shortest, pauseMs);
  change(draft, { relay: { kind: "refused", ...end, sinceMs: nowMs, retryAtMs }, relayFailures, isPeerOffline });
  if (isPeerOffline) forgetOpened(draft);
  // Idempotent where the connection is what ended.
  if (relay.kind === "open" || relay.kind === "ready") draft.actions.push({ type: "close_relay" });
  if (state.path.kind === "relayed") takePath(draft, { kind: "none" });
}

/** A connection that was made on another network is most likely dead, though it may take a minute to say so. */
export function renewRelay(draft: Draft): void {
  const { state } = draft;
  change(draft, { relayFailures: 0 });
  if (state.relay.kind === "closed") return;
  if (state.relay.kind !== "refused") draft.actions.push({ type: "close_relay" });
  change(draft, { relay: { kind: "closed" } });
  if (state.path.kind === "relayed") takePath(draft, { kind: "none" });
}
