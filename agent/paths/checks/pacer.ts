// Spreads the checks of all meshes over time: a machine that starts in a mesh of 64 has a thousand endpoints to check at once, nine times
// over. RFC 8445 section 14.2 lets all agents of a program together send once every 5 ms at most. On the average so do we; the bursts of a
// handful of peers need not wait.
import type { Clock } from "../../system/clock.ts";

export interface Pacer {
  /** At once while there is room, else in its turn. What waits under the same key is replaced, and keeps its place: to check twice late is once. */
  run(key: string, send: () => void): void;
}

const PER_SECOND = 200;
/** With this, nobody waits in the whole round of ten peers with four endpoints each, nor for the first check of 25 such peers. */
const BURST = 100;
const TICK_MS = 20;

export function createPacer(clock: Clock): Pacer {
  const waiting = new Map<string, () => void>();
  let room = BURST;
  let filledAtMs = clock.now();
  let isTicking = false;

  function fill(): void {
    const nowMs = clock.now();
    room = Math.min(BURST, room + (Math.max(0, nowMs - filledAtMs) * PER_SECOND) / 1_000);
    filledAtMs = nowMs;
  }

  function tick(): void {
    isTicking = false;
    fill();
    for (const [key, send] of waiting) {
      if (room < 1) break;
      waiting.delete(key);
      room--;
      send();
    }
    schedule();
  }

  function schedule(): void {
    if (isTicking || waiting.size === 0) return;
    isTicking = true;
    clock.setTimer(TICK_MS, tick);
  }

  return {
    run(key, send) {
      fill();
      if (waiting.size === 0 && room >= 1) {
        room--;
        send();
        return;
      }
      waiting.set(key, send);
      schedule();
    },
  };
}
