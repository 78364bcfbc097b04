// What time it is at the control plane. Machine tokens are judged by its clock; the machine's own may be hours off, and may be set while we
// look: the skew is that of `Clock.now()`, which stays what it is when the wall clock is set back.
import type { Clock } from "../system/clock.ts";

export interface ServerClock {
  now(): number;
  /** Learns from the `Date` header of an answer to something sent at `sentAtMs` (own clock). */
  observe(dateHeader: string | undefined, sentAtMs: number): void;
  skewMs(): number;
}

/** `Date` has whole seconds and the answer took its time: less than this is noise, and one skew is kept. */
const NOISE_MS = 3_000;

export function createServerClock(clock: Clock): ServerClock {
  let skewMs = 0;
  return {
    now: () => clock.now() + skewMs,
    skewMs: () => skewMs,
    observe(dateHeader, sentAtMs) {
      const date = Date.parse(dateHeader ?? "");
      if (Number.isNaN(date)) return;
      const measured = date + 500 - (sentAtMs + clock.now()) / 2;
      // A held long-poll answers long after it was sent: the middle says little, the end says it.
      const isSlow = clock.now() - sentAtMs > NOISE_MS;
      const skew = isSlow ? date + 500 - clock.now() : measured;
      if (Math.abs(skew) < NOISE_MS) skewMs = 0;
      else if (Math.abs(skew - skewMs) > NOISE_MS) skewMs = skew;
    },
  };
}
