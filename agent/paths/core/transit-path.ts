// A path through a gateway, where the mesh's fallback says so. Both ends go through it, or neither: each names the gateways that it reaches
// (its wish), and the Mesh object tells both when the wishes have one in common. Part of the path machine.
import type { Endpoint } from "#schema/address";
import type { MachineId } from "#schema/ids";
import { isHopeless } from "./candidates.ts";
import { canCheck, isActive, isWanted, isWithin } from "./conditions.ts";
import { change, type Draft, notePeerAlive, takePath } from "./draft.ts";
import type { PathState } from "./path-state.ts";
import { PATH_TIMES } from "./path-times.ts";

/** What the Mesh object says of the pair. Its end leaves the pauses between askings as they are, unless it had been well for a while. */
export function takeTransit(draft: Draft, gatewayId: MachineId | null): void {
  const { path, local, sinceMs, transitGatewayId, transitWish } = draft.state;
  if (gatewayId !== null) {
    if (local.fallback === "relay") return;
    if (gatewayId !== transitGatewayId) {
      // This machine has named it, perhaps before it was started anew.
      const wish = transitWish.includes(gatewayId) ? transitWish : [gatewayId];
      change(draft, { transitGatewayId: gatewayId, transitWish: wish });
    }
    if (path.kind !== "transit" || path.gatewayId !== gatewayId) takePath(draft, { kind: "transit", gatewayId });
    return;
  }
  change(draft, { transitGatewayId: null });
  if (path.kind !== "transit") return;
  if (!isWithin(sinceMs, draft.nowMs, PATH_TIMES.transitPauseActive)) change(draft, { transitFailures: 0 });
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

/** The mesh has no transit any more. Who was away then is told by nobody: its pairs have ended all the same, and so have its wishes. */
export function forgetTransit(draft: Draft): void {
  const { local, transitGatewayId, transitWish } = draft.state;
  if (local.fallback !== "relay") return;
  if (transitGatewayId !== null) takeTransit(draft, null);
  if (transitWish.length > 0) change(draft, { transitWish: [] });
}

/** The peer has a wish that this machine does not share yet. */
export function takeTransitWish(draft: Draft): void {
  notePeerAlive(draft);
  change(draft, { peerAskedAtMs: draft.nowMs });
}

/** Other gateways are reached: perhaps one that the peer reaches too. */
export function takeGateways(draft: Draft, gatewayIds: readonly MachineId[]): void {
  change(draft, { gatewayIds, transitFailures: 0 });
}

/** A direct path works. */
export function leaveTransit(draft: Draft): void {
  const { state, nowMs } = draft;
  if (state.transitWish.length > 0 || toRetryMs(state, nowMs) <= nowMs) ask(draft, []);
}

export function settleTransit(draft: Draft): void {
  const due = toAsking(draft.state, draft.nowMs);
  if (due !== null && due.atMs <= draft.nowMs) ask(draft, due.gatewayIds);
}

function ask(draft: Draft, gatewayIds: readonly MachineId[]): void {
  const { state, nowMs } = draft;
  change(draft, { transitWish: gatewayIds, transitAskedAtMs: nowMs, transitFailures: state.transitFailures + 1 });
  draft.actions.push({ type: "request_transit", gatewayIds });
}

/** When the Mesh object is told a wish; null: it knows, and nothing more is to be had. */
export const nextTransitMs = (state: PathState, nowMs: number): number | null => toAsking(state, nowMs)?.atMs ?? null;

interface Asking {
  readonly gatewayIds: readonly MachineId[];
  readonly atMs: number;
}

function toAsking(state: PathState, nowMs: number): Asking | null {
  const { local, path, transitWish, gatewayIds } = state;
  if (local.fallback === "relay") return null;
  if (path.kind === "transit") return toAskingInTransit(state, path.gatewayId, nowMs);
  const isTurn = isTransitTurn(state, nowMs);
  // A wish stands until it is untrue: the other end may be slower.
  const standing = path.kind === "direct" ? [] : transitWish.filter((gatewayId) => gatewayIds.includes(gatewayId));
  const wish = isTurn ? gatewayIds : standing;
  if (!isTurn && wish.length === transitWish.length) return null;
  return { gatewayIds: wish, atMs: wish.length === 0 ? nowMs : toRetryMs(state, nowMs) };
}

function toAskingInTransit(state: PathState, throughId: MachineId, nowMs: number): Asking | null {
  const { sinceMs, transitWish, gatewayIds } = state;
  const isLeaving = transitWish.length === 0;
  if (isLeaving) return { gatewayIds: [], atMs: toRetryMs(state, nowMs) };
  if (gatewayIds.includes(throughId)) return null;
  const isSaid = transitWish.join() === gatewayIds.join();
  return { gatewayIds, atMs: isSaid ? toRetryMs(state, nowMs) : sinceMs + PATH_TIMES.transitSettles };
}

function toRetryMs(state: PathState, nowMs: number): number {
  const { transitAskedAtMs, transitFailures, peerAskedAtMs } = state;
  if (transitAskedAtMs === null) return nowMs;
  const { transitRetry, transitPauseActive, transitPauseIdle, activeFor, peerAskedFor } = PATH_TIMES;
  const isUsed = isActive(state, nowMs, activeFor) || isWithin(peerAskedAtMs, nowMs, peerAskedFor);
  const longest = isUsed ? transitPauseActive : transitPauseIdle;
  return transitAskedAtMs + Math.min(longest, transitRetry * 2 ** Math.max(0, transitFailures - 1));
}

function isTransitTurn(state: PathState, nowMs: number): boolean {
  const { local, path, relay, gatewayIds, roundsFailed } = state;
  if (gatewayIds.length === 0 || path.kind === "direct" || path.kind === "transit") return false;
  if (!isWanted(state, nowMs)) return false;
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
