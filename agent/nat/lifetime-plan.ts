// When to measure how long the NAT keeps a mapping, and with which silences. Pure.

/** NATs forget after 30, 60, 120 or 180 s: what comes a little earlier gets through, and a keepalive can stay under it. */
export const SILENCES_SECONDS: readonly number[] = [28, 58, 118];
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
