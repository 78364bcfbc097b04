// A direct path in use: which endpoint, whether it still answers, when it is given up. Part of the path machine.
//
// A path is dead only when checks are not answered AND nothing is received though something is sent: an agent that was stopped answers no
// checks, and its WireGuard goes on. Even then WireGuard keeps the endpoint until there is something better (fallback-path.ts).
import type { Endpoint } from "#schema/address";
import { isBetter } from "./candidates.ts";
import { canCheck, noteAnswer, sendChecks, startRound } from "./checking.ts";
import { change, type Draft, isActive, takePath } from "./draft.ts";
import { PATH_TIMES, type PathState } from "./path-state.ts";

/** A check was answered: perhaps the first one, perhaps a better one, perhaps only a sign of life. */
export function takeAnswer(draft: Draft, endpoint: Endpoint, roundTripMs: number): void {
  noteAnswer(draft, endpoint, roundTripMs);
  const { path } = draft.state;
  // The other end has to leave the gateway at the same moment: the Mesh object tells both.
  if (path.kind === "transit") {
    leaveTransit(draft);
    return;
  }
  if (path.kind === "direct" && path.endpoint === endpoint) {
    change(draft, { lastAnswerMs: draft.nowMs, missed: 0 });
    if (!path.isProved) change(draft, { path: { ...path, isProved: true } });
    return;
  }
  if (path.kind !== "direct" || isDead(draft.state, draft.nowMs)) {
    if (isTrusted(draft)) useEndpoint(draft, endpoint);
    return;
  }
  const isFree = draft.state.isControlling || draft.state.missed > 0;
  const isWorth = !path.isProved || draft.state.missed > 0 || isBetter(endpoint, path.endpoint, draft.state);
  if (isFree && isWorth) useEndpoint(draft, endpoint);
}

function leaveTransit(draft: Draft): void {
  const { transitAskedAtMs } = draft.state;
  if (transitAskedAtMs !== null && draft.nowMs - transitAskedAtMs < PATH_TIMES.transitRetry) return;
  change(draft, { transitAskedAtMs: draft.nowMs });
  draft.actions.push({ type: "request_transit", gatewayId: null });
}

/** After a death, one answer is not enough for a while: a path that comes and goes would take traffic with it each time. */
function isTrusted(draft: Draft): boolean {
  const { diedAtMs, answersSinceDeath } = draft.state;
  if (diedAtMs === null || draft.nowMs - diedAtMs > PATH_TIMES.distrustFor) return true;
  change(draft, { answersSinceDeath: answersSinceDeath + 1 });
  return draft.state.answersSinceDeath >= PATH_TIMES.answersAfterDeath;
}

function useEndpoint(draft: Draft, endpoint: Endpoint): void {
  takePath(draft, { kind: "direct", endpoint, isProved: true });
  change(draft, { lastAnswerMs: draft.nowMs, heartbeatAtMs: draft.nowMs, missed: 0, answersSinceDeath: 0 });
  draft.actions.push({ type: "end_birthday" });
  // The other side, when it follows, hears at once which one.
  if (draft.state.isControlling) sendChecks(draft, [endpoint]);
}

/** The peer's check came from here: it can reach us, so it is worth a check of ours (a triggered check, RFC 8445 section 7.3.1.4). */
export function takeCheck(draft: Draft, endpoint: Endpoint, isNominated: boolean): void {
  const { state } = draft;
  change(draft, { isPeerOffline: false });
  if (!canCheck(state)) return;
  const { path } = state;
  const isInUse = path.kind === "direct" && path.endpoint === endpoint;
  if (isInUse && state.missed === 0) return;
  const known = state.tries.get(endpoint);
  const isFresh = known?.answeredAtMs != null && draft.nowMs - known.answeredAtMs < PATH_TIMES.roundEnds;
  if (isNominated && !state.isControlling && isFresh && path.kind === "direct") useEndpoint(draft, endpoint);
  else if (!isFresh || isNominated || path.kind !== "direct") sendChecks(draft, [endpoint]);
}

/** WireGuard receives authentic packets from here: as good as an answer, for as long as they come. */
export function takeRoaming(draft: Draft, endpoint: Endpoint): void {
  const { path, tries, version } = draft.state;
  if (path.kind === "direct" && path.endpoint === endpoint) return;
  const known = tries.get(endpoint);
  takePath(draft, { kind: "direct", endpoint, isProved: false });
  // WireGuard has it already; writing it again could undo the next move.
  change(draft, { version, missed: 0, lastAnswerMs: draft.nowMs });
  if (known === undefined) {
    const learnt = { type: "mesh_observed" as const, sentAtMs: null, answeredAtMs: null, roundTripMs: null };
    change(draft, { tries: new Map(tries).set(endpoint, learnt) });
  }
  sendChecks(draft, [endpoint]);
}

/** Sends the next check of the path when it is due; a missing answer starts the search for another path at once. */
export function watchDirect(draft: Draft): void {
  const { state, nowMs } = draft;
  const { path } = state;
  if (path.kind !== "direct" || !canCheck(state) || !isActive(state, nowMs, PATH_TIMES.activeFor)) return;
  const dueAtMs = nextHeartbeatMs(state);
  if (dueAtMs !== null && nowMs >= dueAtMs) {
    const isMissing = state.heartbeatAtMs !== null && (state.lastAnswerMs ?? 0) < state.heartbeatAtMs;
    change(draft, { missed: isMissing ? state.missed + 1 : state.missed, heartbeatAtMs: nowMs });
    sendChecks(draft, [path.endpoint]);
  }
  if (isDoubtful(draft.state, nowMs) && draft.state.round === null && nowMs >= (draft.state.nextRoundAtMs ?? 0)) {
    startRound(draft, { punch: "now" });
  }
}

export function nextHeartbeatMs(state: PathState): number | null {
  if (state.path.kind !== "direct" || !canCheck(state)) return null;
  if (state.heartbeatAtMs === null) return state.activeSinceMs ?? 0;
  const isMissing = (state.lastAnswerMs ?? 0) < state.heartbeatAtMs;
  return state.heartbeatAtMs + (isMissing ? PATH_TIMES.heartbeatRetry : PATH_TIMES.heartbeat);
}

/** A check of the path was not answered in time, and nothing else shows that it works. */
export function isDoubtful(state: PathState, nowMs: number): boolean {
  const { path, missed, lastRxMs } = state;
  if (!canCheck(state)) return isSilentUnchecked(state, nowMs);
  const isSilent = nowMs - (lastRxMs ?? 0) >= PATH_TIMES.doubtAfter;
  return path.kind === "direct" && missed > 0 && isSilent;
}

function isSilentUnchecked({ path, lastRxMs, lastTxMs, activeSinceMs }: PathState, nowMs: number): boolean {
  const quietSinceMs = Math.max(lastRxMs ?? 0, activeSinceMs ?? 0);
  const isSending = lastTxMs !== null && nowMs - lastTxMs < PATH_TIMES.activeFor;
  return path.kind === "direct" && isSending && nowMs - quietSinceMs >= PATH_TIMES.uncheckedSilentFor;
}

export function isDead(state: PathState, nowMs: number): boolean {
  const { path, missed, lastAnswerMs, lastRxMs, activeSinceMs } = state;
  if (!canCheck(state)) return isSilentUnchecked(state, nowMs);
  if (path.kind !== "direct" || missed < 2) return false;
  const quietSinceMs = Math.max(lastAnswerMs ?? 0, activeSinceMs ?? 0);
  return nowMs - quietSinceMs >= PATH_TIMES.deadAfter && nowMs - (lastRxMs ?? 0) >= PATH_TIMES.silentFor;
}
