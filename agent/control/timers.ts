// Timers that end together with whoever set them.
import type { Clock } from "../system/clock.ts";

export interface Timers {
  /** Calls back once after `ms`, unless stopped by then. */
  later(ms: number, callback: () => void): void;
  /** Cancels what waits; what is set afterwards is never called. */
  stop(): void;
}

export function createTimers(clock: Clock): Timers {
  const cancels = new Set<() => void>();
  let isStopped = false;
  return {
    later(ms, callback) {
      if (isStopped) return;
      const cancel = clock.setTimer(ms, () => {
        cancels.delete(cancel);
        callback();
      });
      cancels.add(cancel);
    },
    stop() {
      isStopped = true;
      for (const cancel of cancels) cancel();
      cancels.clear();
    },
  };
}
