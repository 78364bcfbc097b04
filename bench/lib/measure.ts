/** The value below which `percent` of the values lie (nearest rank), rounded to 0.1; 0 of nothing. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1);
  return Math.round((sorted[rank] ?? 0) * 10) / 10;
}

/** The middle value, or the mean of the two in the middle; not rounded; 0 of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? 0;
  return (lower + upper) / 2;
}

export const round = (value: number, digits: number): number => Number(value.toFixed(digits));

/** Milliseconds since `started` (of `performance.now()`), rounded to 0.1. */
export const since = (started: number): number => round(performance.now() - started, 1);
