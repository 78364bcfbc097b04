// Rounds of connectivity checks: to every viable candidate, dense at first; asking the peer to do the same at the same moment. Part of the
// path machine.
import type { Endpoint } from "#schema/address";
import { isHopeless, isUdpBlocked, isViable, limitTries, toUntried } from "./candidates.ts";
import { canCheck, isActive, isGood } from "./conditions.ts";
import { change, type Draft, notePeerAlive } from "./draft.ts";
import { askForTurn } from "./guessing.ts";
import type { Try } from "./path-state.ts";
import { PATH_TIMES } from "./path-times.ts";

/** @param options.punch `none`: the peer has begun already. `later`: only when ordinary checks find nothing. */
export function startRound(draft: Draft, { punch }: { readonly punch: "none" | "now" | "later" }): void {
  const { state, nowMs } = draft;
  if (!canCheck(state) || state.round !== null) return;
  const hasPunched = punch === "none";
  const round = { startedAtMs: nowMs, sent: 0, hasPunched, isRestarted: hasPunched };
  change(draft, { round, nextRoundAtMs: null });
  draft.actions.push({ type: "refresh_stun" });
  if (punch === "now") askToPunch(draft);
  advanceRound(draft);
}

function askToPunch(draft: Draft): void {
  const { state, nowMs } = draft;
  const { round, roundsFailed, isPeerOffline } = state;
  if (round === null || round.hasPunched) return;
  change(draft, { round: { ...round, hasPunched: true } });
  const isUsed = isActive(state, nowMs, PATH_TIMES.activeFor);
  const isWorthIt = isUsed || (state.isEager && roundsFailed < PATH_TIMES.punchesWhenIdle);
  if (isWorthIt && !isPeerOffline) draft.actions.push({ type: "request_punch", kind: "checks" });
}

export function advanceRound(draft: Draft): void {
  const { round } = draft.state;
  if (round === null) return;
  const ageMs = draft.nowMs - round.startedAtMs;
  const due = PATH_TIMES.roundOffsets.filter((offset) => offset <= ageMs).length;
  if (due > round.sent) {
    change(draft, { round: { ...round, sent: due } });
    sendChecks(draft, [...draft.state.tries.keys()], { isOrdinary: true });
  }
  if (ageMs >= PATH_TIMES.punchAfter && !isGood(draft.state)) askToPunch(draft);
  askForTurn(draft, ageMs);
  if (ageMs >= PATH_TIMES.roundEnds) endRound(draft);
}

function endRound(draft: Draft): void {
  const { state, nowMs } = draft;
  if (isGood(state)) change(draft, { round: null, roundsFailed: 0, nextRoundAtMs: null });
  else {
    const pauseMs = toPauseMs(draft);
    const nextRoundAtMs = pauseMs === null ? null : nowMs + pauseMs;
    change(draft, { round: null, roundsFailed: state.roundsFailed + 1, nextRoundAtMs });
  }
}

/** Null: what can't work needs no second round before something changes: facts, the network, the peer's wish. */
function toPauseMs({ state }: Draft): number | null {
  if (isHopeless(state)) return isUdpBlocked(state) ? PATH_TIMES.blockedPause : null;
  const pauses = PATH_TIMES.roundPauses;
  return pauses[Math.min(state.roundsFailed, pauses.length - 1)] ?? 0;
}

/** Sends to those that this machine can reach, and remembers when. */
export function sendChecks(draft: Draft, endpoints: readonly Endpoint[], kind: { isOrdinary?: true } = {}): void {
  const { state, nowMs } = draft;
  const viable = endpoints.filter((endpoint) => isViable(endpoint, state.local));
  if (viable.length === 0 || !canCheck(state)) return;
  const tries = new Map(state.tries);
  for (const endpoint of viable) {
    tries.set(endpoint, { ...(tries.get(endpoint) ?? toUntried("peer_observed")), sentAtMs: nowMs });
  }
  change(draft, { tries: limitTries(tries, state.path) });
  const { isControlling, path } = state;
  const chosen = isControlling && path.kind === "direct" && path.isProved && state.contest === null;
  const isNominated = chosen && viable.length === 1 && viable[0] === path.endpoint;
  draft.actions.push({ type: "send_checks", endpoints: viable, isNominated, ...kind });
}

export function noteAnswer(draft: Draft, endpoint: Endpoint, roundTripMs: number): void {
  const { state, nowMs } = draft;
  const before: Try = state.tries.get(endpoint) ?? toUntried("peer_observed");
  // Smoothed as TCP does (RFC 6298 section 2): a new value counts an eighth.
  const smoothed =
    before.roundTripMs === null ? roundTripMs : before.roundTripMs + (roundTripMs - before.roundTripMs) / 8;
  const tries = new Map(state.tries).set(endpoint, { ...before, answeredAtMs: nowMs, roundTripMs: smoothed });
  change(draft, { tries: limitTries(tries, state.path), roundsFailed: 0 });
  notePeerAlive(draft);
}
