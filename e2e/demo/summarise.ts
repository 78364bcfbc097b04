// What `--check` prints. Pure.
import type { FirstPing } from "./join-in-turn.ts";

export interface Reachability {
  readonly machines: number;
  /** Ordered pairs: from each machine to each other. */
  readonly pairs: number;
  readonly reachable4: number;
  readonly reachable6: number;
}

export interface Summary extends Reachability {
  /** From the start of an agent's process to its first answered ping, for each member that was there before it. */
  readonly joinToFirstPingMs: { readonly p50: number; readonly p95: number };
  /** The same where both are on one LAN. */
  readonly sameLanJoinToFirstPingMs: { readonly p50: number; readonly p95: number };
  readonly firstPings: readonly FirstPing[];
}

export function summarise(reachability: Reachability, firstPings: readonly FirstPing[]): Summary {
  const spread = (pings: readonly FirstPing[]) => {
    const sorted = pings.map((ping) => ping.ms).sort((a, b) => a - b);
    const at = (percent: number) => sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? 0;
    return { p50: at(50), p95: at(95) };
  };
  return {
    ...reachability,
    joinToFirstPingMs: spread(firstPings),
    sameLanJoinToFirstPingMs: spread(firstPings.filter((ping) => ping.isSameLan)),
    firstPings,
  };
}
