// What the parts of the path machine ask of its state. Pure.
import type { PathState } from "./path-state.ts";
import { PATH_TIMES } from "./path-times.ts";

export const isDirect = ({ path }: PathState): boolean => path.kind === "direct";

/** A direct path that needs no other: it was proved, and no answer is missing. */
export const isGood = ({ path, missed }: PathState): boolean => path.kind === "direct" && path.isProved && missed === 0;

export const canCheck = ({ local, peer }: Pick<PathState, "local" | "peer">): boolean =>
  local.canCheck && peer.answersChecks;

/** Somebody used the path lately. */
export const isActive = ({ lastUseMs }: Pick<PathState, "lastUseMs">, nowMs: number, withinMs: number): boolean =>
  isWithin(lastUseMs, nowMs, withinMs);

/** To be kept warm: the mesh is small, or there was traffic. */
export const isKept = (state: PathState, nowMs: number): boolean =>
  state.isEager || isActive(state, nowMs, PATH_TIMES.lazyIdle);

/** Worth an effort, ours or the peer's. */
export const isWanted = (state: PathState, nowMs: number): boolean =>
  isKept(state, nowMs) || isWithin(state.peerAskedAtMs, nowMs, PATH_TIMES.peerAskedFor);

export const isWithin = (atMs: number | null, nowMs: number, withinMs: number): boolean =>
  atMs !== null && nowMs - atMs < withinMs;
