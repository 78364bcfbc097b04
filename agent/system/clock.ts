// Time as a port, so that everything that waits can be tested without waiting.
import { uptime } from "node:os";

export interface Clock {
  /**
   * For measuring. Milliseconds since the epoch as the wall clock had them at first, whatever that is set to later. Time that the machine slept
   * counts.
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

/** Three clocks of a machine, in milliseconds. Only differences of the last two mean something. */
export interface TimeSources {
  /** CLOCK_REALTIME (clock_gettime(2)): may be set. */
  readonly wall: () => number;
  /** CLOCK_MONOTONIC: stands still while the machine sleeps. */
  readonly monotonic: () => number;
  /** CLOCK_BOOTTIME: goes on in its sleep. Coarse and costly, so it is asked only when the other two disagree. */
  readonly boot: () => number;
}

/** The clocks of a busy machine are read that far from each other. */
const DISAGREE_MS = 500;

export function createSteadyTime({ wall, monotonic, boot }: TimeSources): Pick<Clock, "now" | "wall"> {
  const [startWallMs, startMs] = [wall(), monotonic()];
  const startBootMs = boot() - startMs;
  let aheadMs = startWallMs - startMs;
  let sleptMs = 0;
  function now(): number {
    const [wallMs, monotonicMs] = [wall(), monotonic()];
    // The wall clock was set, or the machine slept.
    if (Math.abs(wallMs - monotonicMs - aheadMs) > DISAGREE_MS) {
      aheadMs = wallMs - monotonicMs;
      const missedMs = boot() - monotonicMs - startBootMs;
      if (missedMs - sleptMs > DISAGREE_MS) sleptMs = missedMs;
    }
    return startWallMs + monotonicMs - startMs + sleptMs;
  }
  return {
    now,
    wall: (atMs) => {
      const [wallMs, nowMs] = [wall(), now()];
      return atMs === undefined ? wallMs : wallMs + atMs - nowMs;
    },
  };
}

export function createClock(): Clock {
  return {
    ...createSteadyTime({ wall: () => Date.now(), monotonic: () => performance.now(), boot: () => uptime() * 1_000 }),
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
