// Time as a port, so that everything that waits can be tested without waiting.

export interface Clock {
  /** Wall clock, milliseconds since the epoch. */
  now(): number;
  /** Rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls back once after `ms`; the returned function cancels it. A pending timer doesn't keep the process alive. */
  setTimer(ms: number, callback: () => void): () => void;
}

/** setTimeout takes 32-bit milliseconds; more fires at once. */
const MAX_TIMER_MS = 2_147_483_647;

export function createClock(): Clock {
  return {
    now: () => Date.now(),
    setTimer(ms, callback) {
      const timer = setTimeout(callback, Math.min(ms, MAX_TIMER_MS));
      timer.unref();
      return () => clearTimeout(timer);
    },
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) {
          reject(signal.reason);
          return;
        }
        const onAbort = () => {
          clearTimeout(timer);
          reject(signal?.reason);
        };
        const timer = setTimeout(
          () => {
            signal?.removeEventListener("abort", onAbort);
            resolve();
          },
          Math.min(ms, MAX_TIMER_MS),
        );
        signal?.addEventListener("abort", onAbort, { once: true });
      }),
  };
}
