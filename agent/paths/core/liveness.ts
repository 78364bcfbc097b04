// Whether a direct path still works. Part of the path machine, pure.
//
// A path is dead only when checks are not answered AND nothing is received the direct way: an agent that was stopped answers no checks, and
// its WireGuard goes on. What comes through the relay says nothing of the direct path.
import { canCheck, isActive, isWithin } from "./conditions.ts";
import type { PathState } from "./path-state.ts";
import { PATH_TIMES } from "./path-times.ts";

/** Checks of the path are not answered, and nothing else shows that it works. Without use nobody needs to know. */
export function isDoubtful(state: PathState, nowMs: number): boolean {
  if (state.path.kind !== "direct" || !isActive(state, nowMs, PATH_TIMES.activeFor)) return false;
  if (!canCheck(state)) return isSilent(state, nowMs, toPatienceMs(state) - PATH_TIMES.uncheckedDoubt);
  return state.missed >= PATH_TIMES.doubtAfterMissed && !hasHeard(state, nowMs, PATH_TIMES.doubtAfter);
}

export function isDead(state: PathState, nowMs: number): boolean {
  if (state.path.kind !== "direct" || !isActive(state, nowMs, PATH_TIMES.activeFor)) return false;
  if (!canCheck(state)) return isSilent(state, nowMs, toPatienceMs(state)) || isLeftByPeer(state, nowMs);
  if (isLeftByPeer(state, nowMs)) return true;
  const quietSinceMs = Math.max(state.lastAnswerMs ?? 0, toTriedSinceMs(state));
  const isUnanswered = state.missed >= PATH_TIMES.deadAfterMissed && nowMs - quietSinceMs >= PATH_TIMES.deadAfter;
  return isUnanswered && !hasHeard(state, nowMs, PATH_TIMES.silentFor);
}

/** WireGuard's handshakes come every 5 s, so use seems to begin anew with each; the waiting does not. */
const toTriedSinceMs = ({ activeSinceMs, unansweredSinceMs }: PathState): number =>
  Math.min(activeSinceMs ?? 0, unansweredSinceMs ?? Number.POSITIVE_INFINITY);

/**
 * Neither checks nor WireGuard have been answered for as long as WireGuard's sessions live: nothing is lost by giving up, and the peer is heard
 * when it comes back.
 */
export function isGone(state: PathState, nowMs: number): boolean {
  const { path, sinceMs, unansweredSinceMs, lastAnswerMs, lastTxMs } = state;
  if (path.kind !== "direct" || !canCheck(state) || unansweredSinceMs === null) return false;
  const quietSinceMs = Math.max(sinceMs, unansweredSinceMs, lastAnswerMs ?? 0);
  return nowMs - quietSinceMs >= PATH_TIMES.goneAfter && isWithin(lastTxMs, nowMs, PATH_TIMES.goneAfter);
}

/** The peer sends through the relay, so it gave the path up, and we have no proof of our own that it works. */
function isLeftByPeer(state: PathState, nowMs: number): boolean {
  if (state.relay.kind !== "ready" || !isWithin(state.lastRelayRxMs, nowMs, PATH_TIMES.peerOnRelayFor)) return false;
  if (!canCheck(state)) return !hasHeard(state, nowMs, PATH_TIMES.guessSilentFor) && isOld(state, nowMs);
  const isAnswered = isWithin(state.lastAnswerMs, nowMs, PATH_TIMES.doubtAfter);
  return state.missed > 0 && !isAnswered && !hasHeard(state, nowMs, PATH_TIMES.doubtAfter);
}

const isOld = ({ sinceMs }: PathState, nowMs: number): boolean => nowMs - sinceMs >= PATH_TIMES.guessSilentFor;

const hasHeard = ({ lastDirectRxMs }: PathState, nowMs: number, withinMs: number): boolean =>
  isWithin(lastDirectRxMs, nowMs, withinMs);

const isSilent = ({ unansweredSinceMs }: PathState, nowMs: number, forMs: number): boolean =>
  unansweredSinceMs !== null && nowMs - unansweredSinceMs >= forMs;

export const toPatienceMs = ({ lastDirectRxMs, sinceMs }: PathState): number =>
  lastDirectRxMs !== null && lastDirectRxMs >= sinceMs ? PATH_TIMES.uncheckedSilentFor : PATH_TIMES.guessSilentFor;
