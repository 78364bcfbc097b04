// When to connect again: full jitter, so that the pages of many people don't come back together.
const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;
const RENEW_MS = 500;

/**
 * @param failures connections in a row that came to nothing
 * @param random from 0 to 1
 */
export const planRetryMs = (failures: number, random: number): number =>
  random * Math.min(LONGEST_MS, FIRST_MS * 2 ** failures);

/** Asked to connect again: soon, and not all at once. */
export const planRenewalMs = (random: number): number => random * RENEW_MS;
