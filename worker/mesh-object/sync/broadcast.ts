// Tells everybody connected what changed. Changes that come close together go out as one message, so that a join storm of N machines
// does not make N² messages.

export interface Broadcast {
  /** Call it after a change that others see. */
  schedule(): void;
}

/** Long enough to join a burst, too short to be felt. */
const SHORT_DELAY_MS = 10;
/** While changes keep coming: telling 40 members takes about a millisecond, so half of the time stays for other work. */
const LISTENERS_PER_MS = 40;
const BURST_WITHIN_MS = 1_000;

export function planBroadcastDelay(at: { nowMs: number; lastAtMs: number; listenerCount: number }): number {
  const isBurst = at.nowMs - at.lastAtMs < BURST_WITHIN_MS;
  return isBurst ? Math.max(SHORT_DELAY_MS, at.listenerCount / LISTENERS_PER_MS) : SHORT_DELAY_MS;
}

export function createBroadcast(options: {
  now: () => number;
  countListeners: () => number;
  tellAll: () => void;
}): Broadcast {
  const { now, countListeners, tellAll } = options;
  let isScheduled = false;
  let lastAtMs = Number.NEGATIVE_INFINITY;
  return {
    schedule() {
      if (isScheduled) return;
      isScheduled = true;
      // A pending timer keeps the object from hibernating (Durable Objects docs, "Lifecycle"), so it is never lost to that.
      setTimeout(
        () => {
          isScheduled = false;
          lastAtMs = now();
          tellAll();
        },
        planBroadcastDelay({ nowMs: now(), lastAtMs, listenerCount: countListeners() }),
      );
    },
  };
}
