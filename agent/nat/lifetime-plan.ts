// When to measure how long the NAT keeps a mapping, and what to make of it. Pure.

/**
 * NATs forget after 30, 60, 120 or 180 s. A silence a little shorter than that is outlived, and a keepalive still a little more often
 * stays under it: 25, 55 and 115 s.
 */
export const SILENCES_SECONDS: readonly number[] = [28, 58, 118];
const KEEPALIVE_MARGIN_SECONDS = 3;
/** Safe nearly everywhere, so it does until something is measured. */
export const DEFAULT_KEEPALIVE_SECONDS = 25;
/** Where not even the shortest silence was outlived. */
const SHORT_KEEPALIVE_SECONDS = 15;
const ONCE_A_DAY_MS = 24 * 3_600_000;

export interface LifetimeTimes {
  readonly nowMs: number;
  /** When a measurement ended, also one that found nothing. Null: never. */
  readonly measuredAtMs: number | null;
  readonly networkChangedAtMs: number | null;
}

/** Once a day, and when the network is another one since. */
export function isLifetimeDue({ nowMs, measuredAtMs, networkChangedAtMs }: LifetimeTimes): boolean {
  if (measuredAtMs === null || nowMs - measuredAtMs >= ONCE_A_DAY_MS) return true;
  return networkChangedAtMs !== null && networkChangedAtMs > measuredAtMs;
}

/** @param lifetimeSeconds as measureLifetime tells it; null when it could not */
export function toKeepaliveSeconds(lifetimeSeconds: number | null): number {
  if (lifetimeSeconds === null) return DEFAULT_KEEPALIVE_SECONDS;
  return Math.max(SHORT_KEEPALIVE_SECONDS, lifetimeSeconds - KEEPALIVE_MARGIN_SECONDS);
}
