// Refuses machine tokens that were used before. Pure; each object has its own, in memory.
//
// The memory starts with the object: a token that is older than the object may have been used before the object forgot it, so it is
// refused as stale and the machine signs a new one.

export interface SeenToken {
  readonly tokenId: string;
  /** Seconds since the epoch, as in the token. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

export interface ReplayGuard {
  /** Null when the token is new; it is remembered from then on. */
  check(token: SeenToken, nowMs: number): "machine_token_replayed" | "machine_token_stale" | null;
}

/** A token made just before the object started was hardly used on the instance before; clocks differ by a little too. */
const ISSUED_BEFORE_START_MS = 5_000;
/** The Worker may still accept a token that expired this long ago, for clocks that differ. */
const EXPIRY_LEEWAY_MS = 60_000;

export function createReplayGuard(startedAtMs: number): ReplayGuard {
  const forgetAt = new Map<string, number>();
  let nextSweepAt = 0;

  function sweep(nowMs: number): void {
    if (nowMs < nextSweepAt) return;
    nextSweepAt = nowMs + EXPIRY_LEEWAY_MS;
    for (const [tokenId, atMs] of forgetAt) {
      if (atMs <= nowMs) forgetAt.delete(tokenId);
    }
  }

  return {
    check({ tokenId, issuedAt, expiresAt }, nowMs) {
      sweep(nowMs);
      if (forgetAt.has(tokenId)) return "machine_token_replayed";
      if (issuedAt * 1_000 < startedAtMs - ISSUED_BEFORE_START_MS) return "machine_token_stale";
      const forgottenAtMs = expiresAt * 1_000 + EXPIRY_LEEWAY_MS;
      // It may have been used and forgotten: a request can be under way for longer than its token lives.
      if (forgottenAtMs <= nowMs) return "machine_token_stale";
      forgetAt.set(tokenId, forgottenAtMs);
      return null;
    },
  };
}
