/** The value below which `percent` of the values lie (nearest rank), rounded to 0.1; 0 of nothing. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1);
  return Math.round((sorted[rank] ?? 0) * 10) / 10;
}

/** Milliseconds since `started` (of `performance.now()`), rounded to 0.1. */
export const since = (started: number): number => Math.round((performance.now() - started) * 10) / 10;
