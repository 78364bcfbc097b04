// A path through a gateway, where the mesh's fallback says so. Both ends go through it, or neither: they ask, the Mesh object decides and tells
// both. Part of the path machine.
import type { Endpoint } from "#schema/address";
import type { MachineId } from "#schema/ids";
import { isHopeless } from "./candidates.ts";
import { canCheck, isActive, isKept, isWithin } from "./conditions.ts";
import { change, type Draft, takePath } from "./draft.ts";
import type { PathState } from "./path-state.ts";
import { PATH_TIMES } from "./path-times.ts";

export function takeTransit(draft: Draft, gatewayId: MachineId | null): void {
  const { path, transitGatewayId } = draft.state;
  const isNews = gatewayId !== transitGatewayId;
  change(draft, { transitGatewayId: gatewayId });
  if (isNews) change(draft, { transitAskedAtMs: null, transitFailures: 0 });
  if (gatewayId !== null) {
    if (path.kind !== "transit" || path.gatewayId !== gatewayId) takePath(draft, { kind: "transit", gatewayId });
    return;
  }
  if (path.kind !== "transit") return;
  const proved = toProvedEndpoint(draft.state, draft.nowMs);
  takePath(draft, proved === null ? { kind: "none" } : { kind: "direct", endpoint: proved, isProved: true });
  change(draft, {
    nextRoundAtMs: draft.state.round === null ? draft.nowMs : null,
    lastAnswerMs: draft.nowMs,
    missed: 0,
  });
}

/** An endpoint that answered just now, the newest: what a pair in transit goes back to. */
function toProvedEndpoint({ tries }: PathState, nowMs: number): Endpoint | null {
  const answered = [...tries].filter(([, { answeredAtMs }]) => isWithin(answeredAtMs, nowMs, PATH_TIMES.roundEnds * 2));
  const [newest] = answered.sort(([, one], [, other]) => (other.answeredAtMs ?? 0) - (one.answeredAtMs ?? 0));
  return newest?.[0] ?? null;
}

/** The gateway that this machine reaches is another, or there is none: the way through the one before is lost. */
export function takeGateway(draft: Draft, gatewayId: MachineId | null): void {
  const { path, gatewayId: before } = draft.state;
  change(draft, { gatewayId, transitFailures: 0 });
  if (path.kind !== "transit" || path.gatewayId !== before || gatewayId === before) return;
  change(draft, { transitAskedAtMs: null });
  ask(draft, gatewayId);
}

/** A direct path works. */
export function leaveTransit(draft: Draft): void {
  ask(draft, null);
}

export function settleTransit(draft: Draft): void {
  const { state, nowMs } = draft;
  const isLost = state.path.kind === "transit" && state.gatewayId === null;
  if (isLost) ask(draft, null);
  else if (isTransitTurn(state, nowMs)) ask(draft, state.gatewayId);
}

function ask(draft: Draft, gatewayId: MachineId | null): void {
  const { state, nowMs } = draft;
  const nextMs = nextTransitMs(state, nowMs);
  if (nextMs !== null && nowMs < nextMs) return;
  change(draft, { transitAskedAtMs: nowMs, transitFailures: state.transitFailures + 1 });
  draft.actions.push({ type: "request_transit", gatewayId });
}

/** When it may be asked again; null: at once. */
export function nextTransitMs(state: PathState, nowMs: number): number | null {
  const { transitAskedAtMs, transitFailures } = state;
  if (transitAskedAtMs === null) return null;
  const { transitRetry, transitPauseActive, transitPauseIdle } = PATH_TIMES;
  const longest = isActive(state, nowMs, PATH_TIMES.activeFor) ? transitPauseActive : transitPauseIdle;
  return transitAskedAtMs + Math.min(longest, transitRetry * 2 ** Math.max(0, transitFailures - 1));
}

export function isTransitTurn(state: PathState, nowMs: number): boolean {
  const { local, path, relay, gatewayId, roundsFailed } = state;
  if (gatewayId === null || path.kind === "direct" || path.kind === "transit" || !isKept(state, nowMs)) return false;
  const hasFailed = roundsFailed > 0 || isHopeless(state) || !canCheck(state);
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
