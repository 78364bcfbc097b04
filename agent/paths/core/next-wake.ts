// When the path machine has to be stepped again though nothing happens. Pure.
import { canCheck, isActive, isDirect, isWanted } from "./conditions.ts";
import { nextHeartbeatMs } from "./direct-path.ts";
import { isRelayAllowed, isRelayNeeded, toRelayEndMs, toRelayRetryMs } from "./fallback-path.ts";
import { toPatienceMs } from "./liveness.ts";
import type { PathState } from "./path-state.ts";
import { PATH_TIMES } from "./path-times.ts";
import { toBringBackTimes, toWaitingMs } from "./traffic.ts";
import { nextTransitMs } from "./transit-path.ts";

/** Null: never. What was due at the newest step is done, so a time before it is none. */
export function nextWakeMs(state: PathState, nowMs: number): number | null {
  const times = [
    ...toRoundTimes(state, nowMs),
    ...toDirectTimes(state, nowMs),
    ...toRelayTimes(state, nowMs),
    ...toIdleTimes(state),
    ...toBringBackTimes(state),
    toWaitingMs(state) ?? Number.POSITIVE_INFINITY,
  ];
  const next = Math.min(...times.filter((timeMs) => timeMs > state.steppedAtMs));
  return Number.isFinite(next) ? Math.max(nowMs + 1, next) : null;
}

function toRoundTimes(state: PathState, nowMs: number): number[] {
  const { round, nextRoundAtMs } = state;
  if (round === null) {
    const isDue = nextRoundAtMs !== null && isWanted(state, nowMs) && canCheck(state);
    return isDue ? [nextRoundAtMs] : [];
  }
  const { roundOffsets, punchAfter, birthdayAfter, roundEnds } = PATH_TIMES;
  const next = roundOffsets[round.sent] ?? roundEnds;
  return [next, punchAfter, birthdayAfter, roundEnds].map((offset) => round.startedAtMs + offset);
}

function toDirectTimes(state: PathState, nowMs: number): number[] {
  if (!isDirect(state)) return [];
  const { contest, unansweredSinceMs, lastAnswerMs, sinceMs } = state;
  const times: number[] = [];
  if (contest !== null) times.push(contest.sinceMs + PATH_TIMES.contestFor);
  if (unansweredSinceMs !== null) {
    times.push(Math.max(unansweredSinceMs, sinceMs, lastAnswerMs ?? 0) + PATH_TIMES.goneAfter);
  }
  if (!isActive(state, nowMs, PATH_TIMES.activeFor)) return times;
  const heartbeatMs = nextHeartbeatMs(state);
  if (heartbeatMs !== null) times.push(heartbeatMs);
  if (unansweredSinceMs !== null && !canCheck(state)) {
    const deadMs = unansweredSinceMs + toPatienceMs(state);
    times.push(deadMs, deadMs - PATH_TIMES.uncheckedDoubt);
  }
  return times;
}

function toRelayTimes(state: PathState, nowMs: number): number[] {
  const { relay, unansweredSinceMs } = state;
  const times: number[] = [];
  if (relay.kind === "wanted") times.push(relay.sinceMs + PATH_TIMES.relayAnswer);
  if (relay.kind === "open" && isRelayNeeded(state, nowMs)) {
    times.push(relay.sinceMs + PATH_TIMES.relayAlone);
  }
  if (relay.kind === "ready" && unansweredSinceMs !== null) {
    times.push(Math.max(relay.sinceMs, unansweredSinceMs) + PATH_TIMES.relayStale);
  }
  if (relay.kind === "open" || relay.kind === "ready" || relay.kind === "wanted") times.push(toRelayEndMs(state));
  if (relay.kind !== "closed" && state.missed > 0 && state.lastUseMs !== null) {
    times.push(state.lastUseMs + PATH_TIMES.activeFor);
  }
  if (relay.kind === "refused" && isRelayAllowed(state) && isRelayNeeded(state, nowMs)) {
    times.push(toRelayRetryMs(state, nowMs));
  }
  const transitMs = nextTransitMs(state, nowMs);
  return transitMs === null ? times : [...times, transitMs];
}

function toIdleTimes(state: PathState): number[] {
  const { lastUseMs, peerAskedAtMs, isEager, path, relay } = state;
  if (isEager || (path.kind === "none" && relay.kind === "closed")) return [];
  return [
    ...(lastUseMs === null ? [] : [lastUseMs + PATH_TIMES.lazyIdle]),
    ...(peerAskedAtMs === null ? [] : [peerAskedAtMs + PATH_TIMES.peerAskedFor]),
  ];
}
