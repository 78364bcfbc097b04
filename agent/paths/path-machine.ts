// The path of one pair, seen from one side, as a pure state machine: a state, an event and the time in; a state and actions out. The runner
// (mesh-paths.ts) does the actions and tells what came of them.
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
import { toTries, toUntried } from "./candidates.ts";
import { advanceRound, canCheck, openBirthday, startRound } from "./checking.ts";
import { nextHeartbeatMs, takeAnswer, takeCheck, takeRoaming, watchDirect } from "./direct-path.ts";
import { change, type Draft, isActive, isDirect, takePath } from "./draft.ts";
import { isWanted, loseRelay, settleFallback, takeRelay, takeTransit } from "./fallback-path.ts";
import { needsKeepalive } from "./keepalive.ts";
import { PATH_TIMES, type PathEvent, type PathState, type PathStep } from "./path-state.ts";

type Beginning = Pick<PathState, "peerId" | "isControlling" | "isEager" | "peer" | "local" | "path">;

/** @param options.path what WireGuard has already: left as it is until something is known */
export function createPath(options: Beginning, nowMs: number): PathState {
  return {
    ...options,
    sinceMs: nowMs,
    version: 0,
    tries: toTries(options.peer, new Map()),
    round: null,
    roundsFailed: 0,
    nextRoundAtMs: nowMs,
    birthdayAtMs: null,
    relay: { kind: "closed" },
    isPeerOffline: false,
    transitGatewayId: null,
    transitAskedAtMs: null,
    gatewayId: null,
    lastTxMs: null,
    lastRxMs: null,
    activeSinceMs: null,
    heartbeatAtMs: null,
    lastAnswerMs: null,
    missed: 0,
    diedAtMs: null,
    answersSinceDeath: 0,
    told: null,
  };
}

export function stepPath(state: PathState, event: PathEvent, nowMs: number): PathStep {
  const draft: Draft = { state, actions: [], nowMs };
  (handlers[event.type] as (draft: Draft, event: PathEvent) => void)(draft, event);
  advanceRound(draft);
  watchDirect(draft);
  tryAgain(draft);
  settleFallback(draft);
  forgetIdle(draft);
  report(draft);
  return { state: draft.state, actions: draft.actions };
}

type Handlers = { [T in PathEvent["type"]]: (draft: Draft, event: Extract<PathEvent, { type: T }>) => void };

const handlers: Handlers = {
  facts: takeFacts,
  network_changed: takeNetworkChange,
  punch_requested: takePunch,
  answered: (draft, { endpoint, roundTripMs }) => takeAnswer(draft, endpoint, roundTripMs),
  check_received: (draft, { endpoint, isNominated }) => takeCheck(draft, endpoint, isNominated),
  traffic: takeTraffic,
  loopback_packet: takeLoopbackPacket,
  roamed: (draft, { endpoint }) => takeRoaming(draft, endpoint),
  relay_opened: (draft) => takeRelay(draft, false),
  relay_peer: (draft, { isPresent }) => takeRelay(draft, isPresent),
  relay_ended: (draft, { code, message }) => loseRelay(draft, { code, message }),
  gateway: (draft, { gatewayId }) => change(draft, { gatewayId }),
  transit_set: (draft, { gatewayId }) => takeTransit(draft, gatewayId),
  tick: () => undefined,
};

function takeFacts(draft: Draft, { peer, local, isEager }: Extract<PathEvent, { type: "facts" }>): void {
  const before = draft.state;
  const known = new Set(before.tries.keys());
  change(draft, { peer, local, isEager, tries: toTries(peer, before.tries) });
  const isNew = [...draft.state.tries.keys()].some((endpoint) => !known.has(endpoint));
  const isOtherNat = JSON.stringify([peer.nat, local.nat]) !== JSON.stringify([before.peer.nat, before.local.nat]);
  const isSurroundingsNew =
    local.surroundings !== before.local.surroundings || local.canCheck !== before.local.canCheck;
  if (!isNew && !isOtherNat && !isSurroundingsNew) return;
  if (peer !== before.peer) change(draft, { isPeerOffline: false });
  // What was learnt may be what was missing.
  if (!isDirect(draft.state) || draft.state.missed > 0) change(draft, { roundsFailed: 0, nextRoundAtMs: draft.nowMs });
  if (draft.state.round !== null) change(draft, { round: { ...draft.state.round, startedAtMs: draft.nowMs, sent: 0 } });
}

function takeNetworkChange(draft: Draft): void {
  const { state, nowMs } = draft;
  const relay = state.relay.kind === "refused" ? { ...state.relay, retryAtMs: nowMs } : state.relay;
  change(draft, { isPeerOffline: false });
  change(draft, { roundsFailed: 0, nextRoundAtMs: nowMs, birthdayAtMs: null, diedAtMs: null, round: null, relay });
  // The path is not proved any more: any endpoint that answers may take its place.
  if (isDirect(state)) change(draft, { missed: Math.max(1, state.missed), heartbeatAtMs: null });
}

function takePunch(draft: Draft, { kind, candidates }: Extract<PathEvent, { type: "punch_requested" }>): void {
  const tries = new Map(draft.state.tries);
  for (const { endpoint, type } of candidates) if (!tries.has(endpoint)) tries.set(endpoint, toUntried(type));
  change(draft, { tries, isPeerOffline: false });
  if (kind === "birthday") {
    if (isDirect(draft.state)) return;
    // The other side keeps the limit too; its wish is newer than our memory.
    change(draft, { birthdayAtMs: null });
    openBirthday(draft);
    return;
  }
  const { round } = draft.state;
  if (round === null) startRound(draft, { punch: "none" });
  else change(draft, { round: { ...round, startedAtMs: draft.nowMs, sent: 0, hasPunched: true } });
}

function takeTraffic(draft: Draft, { isSent, isReceived }: Extract<PathEvent, { type: "traffic" }>): void {
  const { state, nowMs } = draft;
  const wasActive = isActive(state, nowMs, PATH_TIMES.activeFor);
  if (!wasActive) change(draft, { activeSinceMs: nowMs, heartbeatAtMs: null, missed: 0 });
  change(draft, { ...(isSent ? { lastTxMs: nowMs } : {}), ...(isReceived ? { lastRxMs: nowMs } : {}) });
}

function takeLoopbackPacket(draft: Draft): void {
  takeTraffic(draft, { type: "traffic", isSent: true, isReceived: false });
  const { state } = draft;
  // WireGuard went back to the relay because the peer's last packets came from there: what is decided is written again.
  if (state.path.kind === "direct") change(draft, { version: state.version + 1 });
}

function tryAgain(draft: Draft): void {
  const { state, nowMs } = draft;
  if (state.round !== null || state.nextRoundAtMs === null || nowMs < state.nextRoundAtMs) return;
  if (!canCheck(state) || !isWanted(state, nowMs)) return;
  const isGood = state.path.kind === "direct" && state.path.isProved && state.missed === 0;
  if (isGood) change(draft, { nextRoundAtMs: null });
  else startRound(draft, { punch: "later" });
}

/** In a large mesh: without traffic the NAT forgets, and the first packet must find the relay instead of a hole that is closed. */
function forgetIdle(draft: Draft): void {
  const { state, nowMs } = draft;
  if (state.isEager || state.path.kind !== "direct" || isWanted(state, nowMs) || !needsKeepalive(state)) return;
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

/** When the machine has to be stepped again though nothing happens; null: never. */
export function nextWakeMs(state: PathState, nowMs: number): number | null {
  const times: number[] = [];
  const { round, relay, nextRoundAtMs } = state;
  if (round !== null) {
    const next = PATH_TIMES.roundOffsets[round.sent] ?? PATH_TIMES.roundEnds;
    const also = [PATH_TIMES.punchAfter, PATH_TIMES.birthdayAfter];
    const offsets = [next, ...also].filter((offset) => round.startedAtMs + offset > nowMs);
    times.push(round.startedAtMs + Math.min(PATH_TIMES.roundEnds, ...offsets));
  }
  if (nextRoundAtMs !== null && round === null && isWanted(state, nowMs) && canCheck(state)) times.push(nextRoundAtMs);
  if (isActive(state, nowMs, PATH_TIMES.activeFor)) {
    const heartbeat = nextHeartbeatMs(state);
    if (heartbeat !== null) times.push(heartbeat);
    if (relay.kind === "refused" && state.path.kind !== "direct") times.push(relay.retryAtMs);
  }
  if (relay.kind === "wanted") times.push(relay.sinceMs + PATH_TIMES.relayAnswer);
  if ((relay.kind === "open" || relay.kind === "ready") && isDirect(state))
    times.push(state.sinceMs + PATH_TIMES.relayLinger);
  if (!state.isEager && (state.path.kind !== "none" || relay.kind !== "closed")) times.push(toLazyEndMs(state));
  return times.length === 0 ? null : Math.max(nowMs + 1, Math.min(...times));
}

const toLazyEndMs = ({ lastTxMs, lastRxMs, sinceMs }: PathState): number =>
  Math.max(lastTxMs ?? 0, lastRxMs ?? 0, sinceMs) + PATH_TIMES.lazyIdle;
