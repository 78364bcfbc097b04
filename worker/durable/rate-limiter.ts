// Token buckets in memory, one per key. Pure: time comes in.

export interface RateLimiter {
  /** False when the key has used up what it may do for now. */
  take(key: string, nowMs: number): boolean;
  /** True when `take` would be refused. Takes nothing, and remembers nothing. */
  isUsedUp(key: string, nowMs: number): boolean;
}

export interface RateLimits {
  readonly burst: number;
  readonly perSecond: number;
  /** When there are more, the one that took longest ago is forgotten. For keys that anybody can make up. */
  readonly maxKeys?: number;
}

export function createRateLimiter({ burst, perSecond, maxKeys = Number.POSITIVE_INFINITY }: RateLimits): RateLimiter {
  const buckets = new Map<string, { tokens: number; at: number }>();

  function countTokens(key: string, nowMs: number): number {
    const bucket = buckets.get(key);
    return bucket === undefined ? burst : Math.min(burst, bucket.tokens + ((nowMs - bucket.at) / 1_000) * perSecond);
  }

  return {
    take(key, nowMs) {
      const tokens = countTokens(key, nowMs);
      const isAllowed = tokens >= 1;
      // A Map keeps its keys in the order of insertion.
      buckets.delete(key);
      const oldest = buckets.keys().next();
      if (buckets.size >= maxKeys && oldest.done !== true) buckets.delete(oldest.value);
      buckets.set(key, { tokens: isAllowed ? tokens - 1 : tokens, at: nowMs });
      return isAllowed;
    },
    isUsedUp: (key, nowMs) => countTokens(key, nowMs) < 1,
  };
}
