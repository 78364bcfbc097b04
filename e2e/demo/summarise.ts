// What `--check` prints. Pure.
import type { PathKind, PathReason } from "#schema/path";
import type { FirstPing } from "./join-in-turn.ts";

export interface Reachability {
  readonly machines: number;
  /** Ordered pairs: from each machine to each other. */
  readonly pairs: number;
  readonly reachable4: number;
  readonly reachable6: number;
}

export interface PairPath {
  readonly from: string;
  readonly to: string;
  readonly path: PathKind;
  /** Why it is not direct; null when it is. */
  readonly reason: PathReason | null;
}

export interface Spread {
  readonly p50: number;
  readonly p95: number;
}

export interface Summary extends Reachability {
  readonly direct: number;
  readonly relayed: number;
  /** From the start of an agent's process to its first answered ping, for each member that was there before it. */
  readonly joinToFirstPingMs: Spread | null;
  readonly firstPings: readonly FirstPing[];
  readonly paths: readonly PairPath[];
}

export function summarise(
  reachability: Reachability,
  firstPings: readonly FirstPing[],
  paths: readonly PairPath[],
): Summary {
  const count = (wanted: PathKind) => paths.filter(({ path }) => path === wanted).length;
  return {
    ...reachability,
    direct: count("direct"),
    relayed: count("relayed"),
    joinToFirstPingMs: spread(firstPings.map((ping) => ping.ms)),
    firstPings,
    paths,
  };
}

/** Nearest rank; null without values. */
function spread(values: readonly number[]): Spread | null {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (percent: number) => sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? 0;
  return sorted.length === 0 ? null : { p50: at(50), p95: at(95) };
}
