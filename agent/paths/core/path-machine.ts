// The path of one pair, seen from one side, as a pure state machine: a state, an event and the time in; a state and actions out. The runner
// (pair.ts) does the actions and tells what came of them.
//
//            first packet, or checks ended                    a check is answered
//   none ──────────────────────────────────► relayed ───────────────────────────────► direct
//    ▲  ◄──────────── nobody needs it ─────────┘ ▲ ◄── no answers, nothing received, ──┘ │
//    │                                           └──── and the relay is ready            │
//    └── a large mesh: no traffic, and the NAT has forgotten ◄───────────────────────────┘
//
//   transit: instead of relayed, where the mesh's fallback says so and both ends have agreed.
//
// Invariants:
// - A path that may work is left only for one that works: direct is proved by an answer, the relay has the other side in it.
// - While a relay can be had, a pair that has traffic has a path.
// - What is not direct is tried again within 60 s, and at once when a network, a candidate or the peer's wish says that something is new.
// - Of two paths that work, both ends take the same one, and leave it only for one that is clearly better.
import { isViable, toTries } from "./candidates.ts";
import { advanceRound, startRound } from "./checking.ts";
import { canCheck, isActive, isDirect, isGood, isWanted } from "./conditions.ts";
import { takeAnswer, takeCheck, takeRoaming, watchDirect } from "./direct-path.ts";
import { change, type Draft, notePeerAlive, takePath } from "./draft.ts";
import { renewRelay, settleFallback, takeRelay, takeRelayEnd } from "./fallback-path.ts";
import { takeOpenedPorts, takeTurn } from "./guessing.ts";
import { isForgetful } from "./keepalive.ts";
import type { PathEvent, PathState, PathStep } from "./path-state.ts";
import { PATH_TIMES } from "./path-times.ts";
import { bringBack, noticeWaiting, takeLoopbackPacket, takeRelayPacket, takeTraffic } from "./traffic.ts";
import { forgetTransit, takeGateways, takeTransit, takeTransitWish } from "./transit-path.ts";

export { nextWakeMs } from "./next-wake.ts";

type Beginning = Pick<PathState, "peerId" | "isControlling" | "isEager" | "peer" | "local" | "path">;

/** @param options.path what WireGuard has already: left as it is until something is known */
export function createPath(options: Beginning, nowMs: number): PathState {
  return {
    ...options,
    ...{ sinceMs: nowMs, version: 0, steppedAtMs: nowMs, told: null },
    tries: toTries(options.peer, new Map(), options.path),
    ...{ round: null, roundsFailed: 0, nextRoundAtMs: nowMs, birthdayAtMs: null, peerOpenedAtMs: null },
    ...{ relay: { kind: "closed" }, relayFailures: 0, isPeerOffline: false, peerAskedAtMs: null },
    ...{ transitGatewayId: null, transitWish: [], transitAskedAtMs: null, transitFailures: 0, gatewayIds: [] },
    ...{ lastTxMs: null, lastRxMs: null, lastDirectRxMs: null, lastRelayRxMs: null, unansweredSinceMs: null },
    ...{ lastUseMs: null, activeSinceMs: null },
    ...{
      heartbeatAtMs: null,
      lastAnswerMs: null,
      missed: 0,
      nominated: null,
      contest: null,
      rewrittenAtMs: null,
      strayedAtMs: null,
    },
    ...{ diedAtMs: null, answersSinceDeath: 0, answeringSinceMs: null },
  };
}

export function stepPath(state: PathState, event: PathEvent, nowMs: number): PathStep {
  const draft: Draft = { state, actions: [], nowMs };
  (handlers[event.type] as (draft: Draft, event: PathEvent) => void)(draft, event);
  noticeWaiting(draft);
  advanceRound(draft);
  watchDirect(draft);
  bringBack(draft);
  tryAgain(draft);
  settleFallback(draft);
  forgetIdle(draft);
  report(draft);
  change(draft, { steppedAtMs: nowMs });
  return { state: draft.state, actions: draft.actions };
}

type Handlers = { [T in PathEvent["type"]]: (draft: Draft, event: Extract<PathEvent, { type: T }>) => void };

const handlers: Handlers = {
  facts: takeFacts,
  network_changed: takeNetworkChange,
  punch_requested: takePunch,
  birthday_turn: takeTurn,
  answered: (draft, { endpoint, roundTripMs }) => takeAnswer(draft, endpoint, roundTripMs),
  check_received: (draft, { endpoint, isNominated }) => takeCheck(draft, endpoint, isNominated),
  traffic: takeTraffic,
  loopback_packet: takeLoopbackPacket,
  relay_packet: takeRelayPacket,
  roamed: (draft, { endpoint }) => takeRoaming(draft, endpoint),
  relay_opened: (draft) => takeRelay(draft, false),
  relay_peer: (draft, { isPresent }) => takeRelay(draft, isPresent),
  relay_ended: (draft, { code, message }) => takeRelayEnd(draft, { code, message }),
  gateways: (draft, { gatewayIds }) => takeGateways(draft, gatewayIds),
  transit_set: (draft, { gatewayId }) => takeTransit(draft, gatewayId),
  transit_requested: takeTransitWish,
  tick: () => undefined,
};

function takeFacts(draft: Draft, { peer, local, isEager }: Extract<PathEvent, { type: "facts" }>): void {
  const before = draft.state;
  change(draft, { peer, local, isEager, tries: toTries(peer, before.tries, before.path) });
  forgetTransit(draft);
  if (peer !== before.peer) notePeerAlive(draft);
  const isNew = [...draft.state.tries.keys()].some(
    (endpoint) => !before.tries.has(endpoint) && isViable(endpoint, local),
  );
  const isOtherNat = JSON.stringify([peer.nat, local.nat]) !== JSON.stringify([before.peer.nat, before.local.nat]);
  const isSurroundingsNew = local.surroundings !== before.local.surroundings;
  const isCheckingNew = canCheck({ peer, local }) !== canCheck(before);
  if (!isNew && !isOtherNat && !isSurroundingsNew && !isCheckingNew) return;
  // What was learnt may be what was missing, or a better way.
  if (isGood(draft.state) && !isNew) return;
  const { round } = draft.state;
  change(draft, { roundsFailed: 0 });
  if (round !== null) change(draft, { round: { ...round, startedAtMs: draft.nowMs, sent: 0 } });
  else if (isWanted(draft.state, draft.nowMs)) startRound(draft, { punch: "later" });
  else change(draft, { nextRoundAtMs: draft.nowMs });
}

function takeNetworkChange(draft: Draft): void {
  const { state, nowMs } = draft;
  notePeerAlive(draft);
  renewRelay(draft);
  change(draft, {
    roundsFailed: 0,
    nextRoundAtMs: nowMs,
    birthdayAtMs: null,
    peerOpenedAtMs: null,
    diedAtMs: null,
    round: null,
    contest: null,
  });
  // The ports were opened through the network before, by this machine or towards it.
  draft.actions.push({ type: "end_birthday" });
  // The path is not proved any more: any endpoint that answers may take its place.
  if (isDirect(state)) change(draft, { missed: Math.max(1, state.missed), heartbeatAtMs: null });
}

function takePunch(draft: Draft, { kind }: Extract<PathEvent, { type: "punch_requested" }>): void {
  notePeerAlive(draft);
  const { nowMs } = draft;
  change(draft, { peerAskedAtMs: nowMs });
  if (kind === "birthday") {
    takeOpenedPorts(draft);
    return;
  }
  const { round } = draft.state;
  if (round === null) startRound(draft, { punch: "none" });
  else if (round.isRestarted) change(draft, { round: { ...round, hasPunched: true } });
  else change(draft, { round: { ...round, startedAtMs: nowMs, sent: 0, hasPunched: true, isRestarted: true } });
}

function tryAgain(draft: Draft): void {
  const { state, nowMs } = draft;
  if (state.round !== null || state.nextRoundAtMs === null || nowMs < state.nextRoundAtMs) return;
  if (!canCheck(state) || !isWanted(state, nowMs)) return;
  // Answers of the round before were not enough.
  change(draft, { answersSinceDeath: 0, answeringSinceMs: null });
  if (isGood(state)) change(draft, { nextRoundAtMs: null });
  // In a large mesh the peer sleeps too, unless it is the one that asked.
  else startRound(draft, { punch: isActive(state, nowMs, PATH_TIMES.activeFor) && !state.isEager ? "now" : "later" });
}

/** In a large mesh: without traffic the NAT forgets, and the first packet must find the relay instead of a hole that is closed. */
function forgetIdle(draft: Draft): void {
  const { state, nowMs } = draft;
  if (state.path.kind !== "direct" || isWanted(state, nowMs) || !isForgetful(state)) return;
  takePath(draft, { kind: "none" });
  change(draft, { nextRoundAtMs: nowMs });
}

function report(draft: Draft): void {
  const { path, told } = draft.state;
  const endpoint = path.kind === "direct" ? path.endpoint : null;
  if (told?.path === path.kind && told.endpoint === endpoint) return;
  const isNothingYet = told === null && path.kind === "none";
  if (isNothingYet) return;
  const before = told?.path ?? "none";
  const kind = path.kind === "none" ? "down" : before === "none" ? "up" : "path_changed";
  change(draft, { told: { path: path.kind, endpoint } });
  draft.actions.push({ type: "report", kind });
}
