// What passes between WireGuard and the peer, as far as it is seen. Part of the path machine.
import { isActive, isWithin } from "./conditions.ts";
import { change, type Draft, notePeerAlive } from "./draft.ts";
import type { PathEvent, PathState } from "./path-state.ts";
import { PATH_TIMES } from "./path-times.ts";

type Traffic = Extract<PathEvent, { type: "traffic" }>;

export function takeTraffic(draft: Draft, { isSent, isReceived, isUpkeep = false, isAsking = false }: Traffic): void {
  if (!isSent && !isReceived) return;
  // A handshake that is repeated is made for somebody's packets, each time.
  const waitingMs = toWaitingMs(draft.state);
  if (!isUpkeep || (isAsking && waitingMs !== null && draft.nowMs >= waitingMs)) noteUse(draft);
  const { state, nowMs } = draft;
  // A keepalive wants no answer.
  if (isSent && (!isUpkeep || isAsking)) change(draft, { unansweredSinceMs: toUnansweredSinceMs(state, nowMs) });
  if (isSent) change(draft, { lastTxMs: nowMs });
  if (!isReceived) return;
  // The look before may be as old as this: what came since may have come through the relay.
  const isRelayed = isWithin(state.lastRelayRxMs, nowMs, PATH_TIMES.peerOnRelayFor);
  change(draft, { lastRxMs: nowMs, unansweredSinceMs: null, ...(isRelayed ? {} : { lastDirectRxMs: nowMs }) });
}

/** A handshake that nobody answers is made for somebody's packets. */
export function noticeWaiting(draft: Draft): void {
  const { unansweredSinceMs, lastUseMs } = draft.state;
  const dueMs = toWaitingMs(draft.state);
  if (dueMs !== null && draft.nowMs >= dueMs && (lastUseMs ?? 0) < (unansweredSinceMs ?? 0)) noteUse(draft);
}

export const toWaitingMs = ({ unansweredSinceMs }: PathState): number | null =>
  unansweredSinceMs === null ? null : unansweredSinceMs + PATH_TIMES.handshakeAnswers;

export function takeRelayPacket(draft: Draft): void {
  noteUse(draft);
  notePeerAlive(draft);
  change(draft, { lastRxMs: draft.nowMs, lastRelayRxMs: draft.nowMs, unansweredSinceMs: null });
}

/** What was sent before a silence is not waited for any more. */
function toUnansweredSinceMs({ unansweredSinceMs, lastTxMs }: PathState, nowMs: number): number {
  const isSending = isWithin(lastTxMs, nowMs, PATH_TIMES.sendingFor);
  return isSending && unansweredSinceMs !== null ? unansweredSinceMs : nowMs;
}

export function takeLoopbackPacket(draft: Draft): void {
  takeTraffic(draft, { type: "traffic", isSent: true, isReceived: false });
  // WireGuard went back to the relay because the peer's last packets came from there: what is decided is written again.
  if (draft.state.path.kind === "direct") rewrite(draft);
}

/** WireGuard left the endpoint by itself; the decision stands. */
export function rewrite(draft: Draft): void {
  const { state, nowMs } = draft;
  if (isWithin(state.rewrittenAtMs, nowMs, PATH_TIMES.rewriteEvery)) return;
  change(draft, { version: state.version + 1, rewrittenAtMs: nowMs });
}

/** Of a path that was just left a packet may have come late, and WireGuard follows it: its next packets would be lost. */
export function bringBack(draft: Draft): void {
  const { state, nowMs } = draft;
  if (state.strayedAtMs === null || state.path.kind === "direct") return;
  const dueMs = toBringBackTimes(state).find((timeMs) => timeMs <= nowMs && (state.rewrittenAtMs ?? 0) < timeMs);
  if (dueMs !== undefined) change(draft, { version: state.version + 1, rewrittenAtMs: nowMs });
}

export const toBringBackTimes = ({ strayedAtMs, path }: PathState): number[] =>
  strayedAtMs === null || path.kind === "direct" ? [] : PATH_TIMES.strayedAfter.map((afterMs) => strayedAtMs + afterMs);

function noteUse(draft: Draft): void {
  const { state, nowMs } = draft;
  change(draft, { lastUseMs: nowMs });
  if (isActive(state, nowMs, PATH_TIMES.activeFor)) return;
  // One answer that was missing before the silence says no more than that the path should be looked at.
  change(draft, { activeSinceMs: nowMs, heartbeatAtMs: null, missed: Math.min(state.missed, 1) });
}
