// What carries a pair that has no direct path: a relay, a gateway, or nothing. Part of the path machine.
//
// A relay opens because of traffic, or because checks ended without a direct path; never merely because a peer exists.
import type { MachineId } from "#schema/ids";
import { toGuess } from "./candidates.ts";
import { canCheck, isRelayDueAtOnce } from "./checking.ts";
import { isDead, isDoubtful } from "./direct-path.ts";
import { change, type Draft, isActive, takePath } from "./draft.ts";
import { PATH_TIMES, type PathState } from "./path-state.ts";

export const isWanted = (state: PathState, nowMs: number): boolean =>
  state.isEager || isActive(state, nowMs, PATH_TIMES.lazyIdle);

export function settleFallback(draft: Draft): void {
  guessWhereUnchecked(draft);
  openWhereNeeded(draft);
  leaveDeadPath(draft);
  closeWhereDone(draft);
  settleTransit(draft);
}

/** Where checks can't be made, a plausible endpoint is tried as it is; WireGuard's handshake is the only proof. */
function guessWhereUnchecked(draft: Draft): void {
  const { state } = draft;
  if (canCheck(state) || state.path.kind !== "none" || !isGuessPlausible(state)) return;
  const endpoint = toGuess(state);
  if (endpoint !== null) takePath(draft, { kind: "direct", endpoint, isProved: false });
}

/** The peer needs no hole to be punched: it is on our network, or has no NAT. */
function isGuessPlausible(state: PathState): boolean {
  const guess = toGuess(state);
  const type = state.peer.candidates.find(({ endpoint }) => endpoint === guess)?.type;
  return type === "host" || type === "static" || type === "port_mapped";
}

function openWhereNeeded(draft: Draft): void {
  const { state, nowMs } = draft;
  if (!isRelayAllowed(state) || state.relay.kind === "open" || state.relay.kind === "ready") return;
  if (state.relay.kind === "wanted" && nowMs - state.relay.sinceMs < PATH_TIMES.relayAnswer) return;
  if (state.relay.kind === "refused" && nowMs < state.relay.retryAtMs) return;
  if (!isRelayNeeded(state, nowMs)) return;
  change(draft, { relay: { kind: "wanted", sinceMs: nowMs } });
  draft.actions.push({ type: "request_relay" });
}

function isRelayNeeded(state: PathState, nowMs: number): boolean {
  if (state.path.kind === "direct") return isDoubtful(state, nowMs);
  if (state.path.kind === "transit") return false;
  if (isActive(state, nowMs, PATH_TIMES.activeFor)) return true;
  if (!isWanted(state, nowMs) || state.isPeerOffline) return false;
  return state.roundsFailed > 0 || isRelayDueAtOnce(state) || !canCheck(state);
}

const isRelayAllowed = ({ local, transitGatewayId }: PathState): boolean =>
  local.fallback !== "transit" && transitGatewayId === null;

/** Only to something that works: while there is nothing better, a path that seems dead stays. */
function leaveDeadPath(draft: Draft): void {
  const { state, nowMs } = draft;
  if (!isDead(state, nowMs) || state.relay.kind !== "ready") return;
  takePath(draft, { kind: "relayed" });
  change(draft, {
    diedAtMs: nowMs,
    answersSinceDeath: 0,
    missed: 0,
    nextRoundAtMs: state.round === null ? nowMs : null,
  });
}

function closeWhereDone(draft: Draft): void {
  const { state, nowMs } = draft;
  if (state.relay.kind === "closed" || state.relay.kind === "refused") return;
  const isReplaced =
    (state.path.kind === "direct" || state.path.kind === "transit") &&
    nowMs - state.sinceMs >= PATH_TIMES.relayLinger &&
    !isDoubtful(state, nowMs);
  if (!isReplaced && isWanted(state, nowMs)) return;
  change(draft, { relay: { kind: "closed" } });
  draft.actions.push({ type: "close_relay" });
  if (draft.state.path.kind === "relayed") takePath(draft, { kind: "none" });
}

/** The relay is there: it carries the pair unless there is something better. */
export function takeRelay(draft: Draft, isPresent: boolean): void {
  const { state, nowMs } = draft;
  const isPeerOffline = state.isPeerOffline && !isPresent;
  change(draft, { relay: { kind: isPresent ? "ready" : "open", sinceMs: nowMs }, isPeerOffline });
  if (isPresent && state.path.kind === "none") takePath(draft, { kind: "relayed" });
}

export function loseRelay(draft: Draft, end: { readonly code: string; readonly message: string }): void {
  const { state, nowMs } = draft;
  const isPeerOffline = end.code === "peer_offline";
  const pauseMs = isPeerOffline ? PATH_TIMES.relayRetryOffline : PATH_TIMES.relayRetry;
  change(draft, { relay: { kind: "refused", ...end, retryAtMs: nowMs + pauseMs }, isPeerOffline });
  if (state.path.kind === "relayed") takePath(draft, { kind: "none" });
}

/** Both ends go through the gateway, or neither: the Mesh object says when. */
export function takeTransit(draft: Draft, gatewayId: MachineId | null): void {
  change(draft, { transitGatewayId: gatewayId, transitAskedAtMs: null });
  if (gatewayId !== null) takePath(draft, { kind: "transit", gatewayId });
  if (gatewayId !== null || draft.state.path.kind !== "transit") return;
  const proved = toProvedEndpoint(draft.state, draft.nowMs);
  takePath(draft, proved === null ? { kind: "none" } : { kind: "direct", endpoint: proved, isProved: true });
}

/** An endpoint that answered just now: what a pair in transit goes back to. */
function toProvedEndpoint({ tries }: PathState, nowMs: number) {
  for (const [endpoint, { answeredAtMs }] of tries) {
    if (answeredAtMs !== null && nowMs - answeredAtMs < PATH_TIMES.roundEnds * 2) return endpoint;
  }
  return null;
}

function settleTransit(draft: Draft): void {
  const { state, nowMs } = draft;
  const isAskedLately = state.transitAskedAtMs !== null && nowMs - state.transitAskedAtMs < PATH_TIMES.transitRetry;
  if (isAskedLately || !isTransitTurn(state, nowMs)) return;
  change(draft, { transitAskedAtMs: nowMs });
  draft.actions.push({ type: "request_transit", gatewayId: state.gatewayId });
}

function isTransitTurn(state: PathState, nowMs: number): boolean {
  const { local, path, relay, gatewayId, roundsFailed } = state;
  if (gatewayId === null || path.kind === "direct" || path.kind === "transit" || !isWanted(state, nowMs)) return false;
  const hasFailed = roundsFailed > 0 || isRelayDueAtOnce(state) || !canCheck(state);
  switch (local.fallback) {
    case "relay":
      return false;
    case "transit":
    case "transit-then-relay":
      return hasFailed;
    case "relay-then-transit":
      return hasFailed && relay.kind === "refused";
  }
}
