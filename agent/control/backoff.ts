// Full jitter (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/): thousands of agents that lose their control
// plane in one moment come back spread over the whole interval.
import type { Random } from "../system/random.ts";

export interface BackoffOptions {
  /** The first wait is at most this long. */
  readonly firstMs: number;
  readonly capMs: number;
  /** Every wait is at least this long (default 0). */
  readonly floorMs?: number;
}

/** How long to wait before trying again after `failures` (1 or more) in a row. Never before `retryAfterMs`, when the server named one. */
export function toBackoffMs(
  failures: number,
  random: Random,
  { firstMs, capMs, floorMs = 0 }: BackoffOptions,
  retryAfterMs: number | null = null,
): number {
  const ceiling = Math.min(capMs, firstMs * 2 ** Math.min(failures - 1, 30));
  const jitterMs = floorMs + random() * (ceiling - floorMs);
  return retryAfterMs === null ? jitterMs : Math.min(retryAfterMs, MAX_RETRY_AFTER_MS) + jitterMs;
}

/** A server that asks for more is mistaken, or not ours. */
const MAX_RETRY_AFTER_MS = 600_000;
