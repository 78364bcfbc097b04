// For reads of distributed state: look again until it is as expected. Mutations run once, outside.
import { setTimeout as delay } from "node:timers/promises";

export interface EventuallyOptions {
  readonly withinMs: number;
  /** What is waited for, as the end of "it never came true that …". */
  readonly describe: string;
  /** Default 50. */
  readonly everyMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Resolves with the first value of `check` that is not false, null or undefined. A throwing check is one more "not yet":
 * so assertions can be used as checks. Rejects with the last reason when the time is over.
 */
export async function eventually<T>(
  check: () => Promise<T> | T,
  { withinMs, describe, everyMs = 50, signal }: EventuallyOptions,
): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    signal?.throwIfAborted();
    let last: unknown;
    try {
      const value = await check();
      if (value !== false && value !== null && value !== undefined) return value as NonNullable<Exclude<T, false>>;
      last = value;
    } catch (error) {
      last = error;
    }
    if (performance.now() >= deadline)
      throw new Error(`within ${withinMs} ms it never came true that ${describe}; last: ${String(last)}`, {
        cause: last,
      });
    await delay(everyMs, null, { signal });
  }
}
