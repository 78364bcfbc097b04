// Token buckets in memory, one per key. Pure: time comes in.

export interface RateLimiter {
  /** False when the key has used up what it may do for now. */
  take(key: string, nowMs: number): boolean;
}

export function createRateLimiter({ burst, perSecond }: { burst: number; perSecond: number }): RateLimiter {
  const buckets = new Map<string, { tokens: number; at: number }>();
  return {
    take(key, nowMs) {
      const bucket = buckets.get(key) ?? { tokens: burst, at: nowMs };
      const tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.at) / 1_000) * perSecond);
      const isAllowed = tokens >= 1;
      buckets.set(key, { tokens: isAllowed ? tokens - 1 : tokens, at: nowMs });
      return isAllowed;
    },
  };
}
