// A clock that stands still until a test moves it.
import { type Clock, createSteadyTime } from "../system/clock.ts";

export interface FakeClock extends Clock {
  /** Moves time forward, firing timers and sleeps in their order, and lets what they started run in between. */
  advance(ms: number): Promise<void>;
  /** Sets the wall clock forward, or back. Timers know nothing of it. */
  setWall(byMs: number): void;
  /** How many timers and sleeps wait. */
  pending(): number;
}

interface Waiting {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
}

export function createFakeClock(startMs = Date.UTC(2026, 0, 1)): FakeClock {
  let time = startMs;
  let setByMs = 0;
  let order = 0;
  let waiting: Waiting[] = [];

  function setTimer(ms: number, fire: () => void): () => void {
    const entry = { at: time + Math.max(0, ms), order: order++, fire };
    waiting.push(entry);
    return () => {
      waiting = waiting.filter((other) => other !== entry);
    };
  }

  return {
    ...createSteadyTime({ wall: () => time + setByMs, monotonic: () => time, boot: () => time }),
    setWall(byMs) {
      setByMs += byMs;
    },
    setTimer,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) {
          reject(signal.reason);
          return;
        }
        const onAbort = () => {
          cancel();
          reject(signal?.reason);
        };
        const cancel = setTimer(ms, () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        });
        signal?.addEventListener("abort", onAbort, { once: true });
      }),
    async advance(ms) {
      const end = time + ms;
      await settle();
      for (;;) {
        const next = waiting.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at || a.order - b.order)[0];
        if (next === undefined) break;
        waiting = waiting.filter((other) => other !== next);
        time = next.at;
        next.fire();
        await settle();
      }
      time = end;
    },
    pending: () => waiting.length,
  };
}

/** Lets promise chains and immediate callbacks run out; fakes answer without real waiting, so a few turns are enough. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
