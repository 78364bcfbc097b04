// Rounds of connectivity checks: to every viable candidate, dense at first; asking the peer to do the same at the same moment; and, where
// one side is behind a hard NAT, guessing ports. Part of the path machine.
import type { Endpoint } from "#schema/address";
import { isHopeless, isViable, toBirthdayRole, toEasyEndpoint, toUntried } from "./candidates.ts";
import { change, type Draft, isActive, isDirect } from "./draft.ts";
import { PATH_TIMES, type PathState, type Try } from "./path-state.ts";

export const canCheck = ({ local, peer }: PathState): boolean => local.canCheck && peer.answersChecks;

/** @param options.punch `none`: the peer has begun already. `later`: only when ordinary checks find nothing. */
export function startRound(draft: Draft, { punch }: { readonly punch: "none" | "now" | "later" }): void {
  const { state, nowMs } = draft;
  if (!canCheck(state) || state.round !== null) return;
  const round = { startedAtMs: nowMs, sent: 0, hasBirthdayBegun: false, hasPunched: punch === "none" };
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
  const isWorthIt = isActive(state, nowMs, PATH_TIMES.lazyIdle) || roundsFailed < PATH_TIMES.punchesWhenIdle;
  if (isWorthIt && !isPeerOffline) draft.actions.push({ type: "request_punch", kind: "checks" });
}

export function advanceRound(draft: Draft): void {
  const { round } = draft.state;
  if (round === null) return;
  const ageMs = draft.nowMs - round.startedAtMs;
  const due = PATH_TIMES.roundOffsets.filter((offset) => offset <= ageMs).length;
  if (due > round.sent) {
    sendChecks(draft, [...draft.state.tries.keys()]);
    change(draft, { round: { ...round, sent: due } });
  }
  const isFound = isDirect(draft.state) && draft.state.missed === 0;
  if (ageMs >= PATH_TIMES.punchAfter && !isFound) askToPunch(draft);
  beginBirthday(draft, ageMs);
  if (ageMs >= PATH_TIMES.roundEnds) endRound(draft);
}

function beginBirthday(draft: Draft, ageMs: number): void {
  const { round } = draft.state;
  if (round === null || round.hasBirthdayBegun || ageMs < PATH_TIMES.birthdayAfter || isDirect(draft.state)) return;
  if (openBirthday(draft)) draft.actions.push({ type: "request_punch", kind: "birthday" });
}

/** False where it can't work, or was done lately. */
export function openBirthday(draft: Draft): boolean {
  const { state, nowMs } = draft;
  const { local, peer, birthdayAtMs } = state;
  if (!canCheck(state) || isDirect(state)) return false;
  if (birthdayAtMs !== null && nowMs - birthdayAtMs < PATH_TIMES.birthdayEvery) return false;
  const role = toBirthdayRole(local.nat, peer.nat);
  const remote = role === "open_ports" ? toEasyEndpoint(peer) : null;
  const address = role === "guess_ports" ? peer.nat?.publicAddress : undefined;
  if (remote !== null) draft.actions.push({ type: "open_ports", remote });
  else if (address !== undefined) draft.actions.push({ type: "guess_ports", address });
  else return false;
  const { round } = draft.state;
  change(draft, { birthdayAtMs: nowMs, ...(round === null ? {} : { round: { ...round, hasBirthdayBegun: true } }) });
  return true;
}

function endRound(draft: Draft): void {
  const { state, nowMs } = draft;
  if (isDirect(state) && state.missed === 0) {
    change(draft, { round: null, roundsFailed: 0, nextRoundAtMs: null });
    return;
  }
  // What can't work needs no second round before something changes: facts, the network, the peer's wish.
  if (isHopeless(state)) {
    change(draft, { round: null, roundsFailed: state.roundsFailed + 1, nextRoundAtMs: null });
    return;
  }
  const pauses = PATH_TIMES.roundPauses;
  const pauseMs = pauses[Math.min(state.roundsFailed, pauses.length - 1)] ?? 0;
  change(draft, { round: null, roundsFailed: state.roundsFailed + 1, nextRoundAtMs: nowMs + pauseMs });
}

/** Sends to those that this machine can reach, and remembers when. */
export function sendChecks(draft: Draft, endpoints: readonly Endpoint[]): void {
  const { state, nowMs } = draft;
  const viable = endpoints.filter((endpoint) => isViable(endpoint, state.local));
  if (viable.length === 0 || !canCheck(state)) return;
  const tries = new Map(state.tries);
  for (const endpoint of viable) {
    tries.set(endpoint, { ...(tries.get(endpoint) ?? toUntried("peer_observed")), sentAtMs: nowMs });
  }
  change(draft, { tries });
  const isNominated = state.isControlling && state.path.kind === "direct" && viable.length === 1;
  draft.actions.push({ type: "send_checks", endpoints: viable, isNominated });
}

export function noteAnswer(draft: Draft, endpoint: Endpoint, roundTripMs: number): void {
  const { state, nowMs } = draft;
  const before: Try = state.tries.get(endpoint) ?? toUntried("peer_observed");
  // Smoothed as TCP does (RFC 6298 section 2): a new value counts an eighth.
  const smoothed =
    before.roundTripMs === null ? roundTripMs : before.roundTripMs + (roundTripMs - before.roundTripMs) / 8;
  const tries = new Map(state.tries).set(endpoint, { ...before, answeredAtMs: nowMs, roundTripMs: smoothed });
  change(draft, { tries, roundsFailed: 0, isPeerOffline: false });
}

/** A relay helps at once: nothing that could be tried would make the pair direct. */
export const isRelayDueAtOnce = (state: PathState): boolean => isHopeless(state);
