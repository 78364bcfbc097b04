// Round-trip time and loss of the path in use, from the newest checks on it.

export interface PathQuality {
  sent(nowMs: number): void;
  answered(roundTripMs: number, nowMs: number): void;
  /** Another path: what was measured says nothing of it. */
  reset(): void;
  /** Smoothed; null until measured. */
  latencyMs(): number | null;
  /** Of the newest checks that have had their time to be answered; null until there was one. */
  lossRatio(nowMs: number): number | null;
}

const REMEMBERED = 20;
/** A check without an answer for this long is lost. */
const LOST_AFTER_MS = 1_000;

export function createPathQuality(): PathQuality {
  let checks: { readonly sentAtMs: number; isAnswered: boolean }[] = [];
  let latencyMs: number | null = null;
  return {
    sent(nowMs) {
      checks.push({ sentAtMs: nowMs, isAnswered: false });
      if (checks.length > REMEMBERED) checks = checks.slice(-REMEMBERED);
    },
    answered(roundTripMs, nowMs) {
      // Which one of several under way it answers makes no difference to how many are lost. One that is lost stays so.
      const check = checks.find(({ sentAtMs, isAnswered }) => !isAnswered && nowMs - sentAtMs < LOST_AFTER_MS);
      if (check !== undefined) check.isAnswered = true;
      latencyMs = latencyMs === null ? roundTripMs : latencyMs + (roundTripMs - latencyMs) / 4;
    },
    reset() {
      checks = [];
      latencyMs = null;
    },
    latencyMs: () => latencyMs,
    lossRatio(nowMs) {
      const known = checks.filter(({ sentAtMs, isAnswered }) => isAnswered || nowMs - sentAtMs >= LOST_AFTER_MS);
      return known.length === 0 ? null : known.filter(({ isAnswered }) => !isAnswered).length / known.length;
    },
  };
}
