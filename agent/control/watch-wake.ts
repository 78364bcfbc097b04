// A machine that slept: its timers stood still, its connections are dead, and nobody told it. `Clock.now()` went on.
import type { Clock } from "../system/clock.ts";

const LOOK_INTERVAL_MS = 5_000;
/** More than a busy machine is late. */
const JUMP_MS = 10_000;

export function watchWake(clock: Clock, onWake: () => void, signal: AbortSignal): void {
  let lookedAt = clock.now();
  let cancel = clock.setTimer(LOOK_INTERVAL_MS, look);
  signal.addEventListener("abort", () => cancel(), { once: true });

  function look(): void {
    if (signal.aborted) return;
    const lateMs = clock.now() - lookedAt - LOOK_INTERVAL_MS;
    lookedAt = clock.now();
    cancel = clock.setTimer(LOOK_INTERVAL_MS, look);
    if (lateMs > JUMP_MS) onWake();
  }
}
