// A direct path: which endpoint answers, which of several is used, and whether it still answers. Part of the path machine.
//
// Both sides end on one pair of endpoints: the controlling side chooses and says so in its checks (a nomination, RFC 8445 section 8.1.1);
// the other follows once it has an answer from there.
import type { Endpoint } from "#schema/address";
import { isBetter, toUntried } from "./candidates.ts";
import { noteAnswer, sendChecks, startRound } from "./checking.ts";
import { canCheck, isActive, isWithin } from "./conditions.ts";
import { change, type Draft, notePeerAlive, takePath } from "./draft.ts";
import { isDead, isDoubtful } from "./liveness.ts";
import type { PathState } from "./path-state.ts";
import { PATH_TIMES } from "./path-times.ts";
import { leaveTransit } from "./transit-path.ts";

/** A check was answered: perhaps the first one, perhaps a better one, perhaps only a sign of life. */
export function takeAnswer(draft: Draft, endpoint: Endpoint, roundTripMs: number): void {
  noteAnswer(draft, endpoint, roundTripMs);
  const { path } = draft.state;
  if (path.kind === "direct" && path.endpoint === endpoint) confirm(draft);
  else if (path.kind === "direct" && !isDead(draft.state, draft.nowMs)) {
    if (isWorthAChange(draft.state, endpoint, draft.nowMs)) useEndpoint(draft, endpoint);
  } else if (isTrusted(draft)) {
    // The other end has to leave the gateway at the same moment: the Mesh object tells both.
    if (path.kind === "transit") leaveTransit(draft);
    else useEndpoint(draft, endpoint);
  } else if (draft.state.round === null) startRound(draft, { punch: "none" });
}

function confirm(draft: Draft): void {
  const { state, nowMs } = draft;
  const { path, contest } = state;
  if (path.kind !== "direct") return;
  const isStayed = contest !== null;
  change(draft, {
    lastAnswerMs: nowMs,
    missed: 0,
    contest: null,
    path: path.isProved ? path : { ...path, isProved: true },
  });
  if (!isStayed) return;
  // WireGuard went elsewhere, and here it works: an answer newer than that proves it.
  takePath(draft, draft.state.path);
  if (state.isControlling) sendChecks(draft, [path.endpoint]);
}

function isWorthAChange(state: PathState, endpoint: Endpoint, nowMs: number): boolean {
  const { path, isControlling, nominated, round, missed, contest } = state;
  if (path.kind !== "direct" || contest !== null) return false;
  if (!isControlling && nominated === endpoint) return true;
  const isShaky = !path.isProved || missed > 0;
  if (isShaky) return round === null || nowMs - round.startedAtMs >= PATH_TIMES.incumbentAnswers;
  return isControlling && isBetter(endpoint, path.endpoint, state);
}

/** After a death, one answer is not enough for a while: a path that comes and goes would take traffic with it each time. */
function isTrusted(draft: Draft): boolean {
  const { state, nowMs } = draft;
  if (!isWithin(state.diedAtMs, nowMs, PATH_TIMES.distrustFor)) return true;
  const answersSinceDeath = state.answersSinceDeath + 1;
  const answeringSinceMs = state.answeringSinceMs ?? nowMs;
  change(draft, { answersSinceDeath, answeringSinceMs });
  const isSteady = nowMs - answeringSinceMs >= PATH_TIMES.answeringFor;
  return isSteady && answersSinceDeath >= PATH_TIMES.answersAfterDeath;
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
  notePeerAlive(draft);
  const { state, nowMs } = draft;
  if (!canCheck(state)) return;
  const isFollowing = isNominated && !state.isControlling;
  if (isFollowing) change(draft, { nominated: endpoint });
  const { path } = state;
  const isInUse = path.kind === "direct" && path.endpoint === endpoint;
  if (isInUse && state.missed === 0 && path.isProved) return;
  const isFresh = isWithin(state.tries.get(endpoint)?.answeredAtMs ?? null, nowMs, PATH_TIMES.roundEnds);
  if (isFollowing && isFresh && path.kind === "direct" && !isInUse) useEndpoint(draft, endpoint);
  else if (!isFresh || isNominated || path.kind !== "direct") triggerCheck(draft, endpoint);
}

/** A burst of checks that come together is worth one of ours, not a burst of them. */
function triggerCheck(draft: Draft, endpoint: Endpoint): void {
  const { state, nowMs } = draft;
  if (!isWithin(state.tries.get(endpoint)?.sentAtMs ?? null, nowMs, PATH_TIMES.triggerPause))
    sendChecks(draft, [endpoint]);
}

/** WireGuard receives authentic packets from here, and sends there from now on. */
export function takeRoaming(draft: Draft, endpoint: Endpoint): void {
  const { state, nowMs } = draft;
  const { path, tries } = state;
  if (path.kind === "direct" && path.endpoint === endpoint) {
    change(draft, { contest: null });
    return;
  }
  if (!tries.has(endpoint)) change(draft, { tries: new Map(tries).set(endpoint, toUntried("mesh_observed")) });
  if (isRelayBetter(state, nowMs)) {
    // Perhaps only its last packets came this way. A check shows whether ours would arrive; until then both use the relay.
    takePath(draft, path);
    change(draft, { strayedAtMs: nowMs });
    sendChecks(draft, [endpoint]);
    return;
  }
  const isProvedHere = path.kind === "direct" && path.isProved && state.missed === 0;
  if (state.isControlling && isProvedHere && canCheck(state)) {
    // The one that chooses does not follow the one that follows: else two paths that work would take turns.
    if (state.contest !== null) return;
    change(draft, { contest: { endpoint, sinceMs: nowMs } });
    sendChecks(draft, [path.endpoint, endpoint]);
    return;
  }
  followRoaming(draft, endpoint);
}

/** The peer is there too, or the direct path is one that died lately. */
const isRelayBetter = ({ path, relay, lastRelayRxMs, diedAtMs }: PathState, nowMs: number): boolean =>
  path.kind === "relayed" &&
  relay.kind === "ready" &&
  (isWithin(lastRelayRxMs, nowMs, PATH_TIMES.peerOnRelayFor) || isWithin(diedAtMs, nowMs, PATH_TIMES.distrustFor));

/** As good as an answer, for as long as packets come from there. */
function followRoaming(draft: Draft, endpoint: Endpoint): void {
  const { version, tries, contest } = draft.state;
  const answeredAtMs = tries.get(endpoint)?.answeredAtMs ?? null;
  const isProved = contest !== null && answeredAtMs !== null && answeredAtMs >= contest.sinceMs;
  takePath(draft, { kind: "direct", endpoint, isProved });
  // WireGuard has it already; writing it again could undo the next move.
  change(draft, { version, missed: 0, lastAnswerMs: draft.nowMs, heartbeatAtMs: draft.nowMs });
  sendChecks(draft, [endpoint]);
}

/** Sends the next check of the path when it is due; a missing answer starts the search for another path at once. */
export function watchDirect(draft: Draft): void {
  settleContest(draft);
  const { state, nowMs } = draft;
  const { path } = state;
  if (path.kind !== "direct" || !canCheck(state) || !isActive(state, nowMs, PATH_TIMES.activeFor)) return;
  const dueAtMs = nextHeartbeatMs(state);
  if (dueAtMs !== null && nowMs >= dueAtMs) {
    change(draft, { missed: isAnswerMissing(state) ? state.missed + 1 : state.missed, heartbeatAtMs: nowMs });
    sendChecks(draft, [path.endpoint]);
  }
  if (isDoubtful(draft.state, nowMs) && draft.state.round === null && nowMs >= (draft.state.nextRoundAtMs ?? 0)) {
    startRound(draft, { punch: "now" });
  }
}

function settleContest(draft: Draft): void {
  const { contest } = draft.state;
  if (contest !== null && draft.nowMs >= contest.sinceMs + PATH_TIMES.contestFor)
    followRoaming(draft, contest.endpoint);
}

export function nextHeartbeatMs(state: PathState): number | null {
  if (state.path.kind !== "direct" || !canCheck(state)) return null;
  if (state.heartbeatAtMs === null) return state.activeSinceMs ?? 0;
  return state.heartbeatAtMs + (isAnswerMissing(state) ? toRetryMs(state) : PATH_TIMES.heartbeat);
}

const isAnswerMissing = ({ heartbeatAtMs, lastAnswerMs }: PathState): boolean =>
  heartbeatAtMs !== null && (lastAnswerMs ?? 0) < heartbeatAtMs;

/** On a long way, such as a satellite's, an answer takes longer than the pause. */
function toRetryMs({ path, tries, missed }: PathState): number {
  const roundTripMs = path.kind === "direct" ? (tries.get(path.endpoint)?.roundTripMs ?? 0) : 0;
  if (missed >= PATH_TIMES.deadAfterMissed * 4) return PATH_TIMES.heartbeatSlow;
  return Math.min(PATH_TIMES.heartbeat, Math.max(PATH_TIMES.heartbeatRetry, 2 * roundTripMs));
}
