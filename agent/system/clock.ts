// Time as a port, so that everything that waits can be tested without waiting.

export interface Clock {
  /**
   * For measuring. Milliseconds since the epoch as the wall clock had them at first; set back later, this goes on all the same. Set forward,
   * or after the machine slept, it jumps: nobody can tell the two apart.
   */
  now(): number;
  /** What the wall clock shows, or would have shown at that time of `now()`: for what others read. */
  wall(atMs?: number): number;
  /** Rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls back once after `ms`; the returned function cancels it. A pending timer doesn't keep the process alive. */
  setTimer(ms: number, callback: () => void): () => void;
}

/** setTimeout takes 32-bit milliseconds; more fires at once. */
const MAX_TIMER_MS = 2_147_483_647;

export function createSteadyTime(readWall: () => number): Pick<Clock, "now" | "wall"> {
  let newestMs = readWall();
  /** By how much the wall clock was set back so far. */
  let backMs = 0;
  function now(): number {
    const wallMs = readWall();
    if (wallMs + backMs < newestMs) backMs = newestMs - wallMs;
    newestMs = wallMs + backMs;
    return newestMs;
  }
  return { now, wall: (atMs = now()) => atMs - backMs };
}

export function createClock(): Clock {
  return {
    ...createSteadyTime(() => Date.now()),
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
