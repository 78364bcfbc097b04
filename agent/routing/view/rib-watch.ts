// Tells that this machine's routes in a mesh changed, as long as somebody watches the machine there: whoever shows them asks for them then.
// Nobody looks: nothing is told, and nothing is looked at for it.
import type { Clock } from "../../system/clock.ts";

export interface RibWatch {
  /** Somebody watches, for so long. */
  extend(seconds: number): void;
  /** Routes may be others than before. */
  changed(): void;
  stop(): void;
}

export interface RibWatchOptions {
  readonly clock: Clock;
  readonly tell: () => void;
}

/** A change of routes is many: of both families, and of what BIRD does next. */
const SETTLE_MS = 100;
const EVERY_MS = 1_000;

export function createRibWatch({ clock, tell }: RibWatchOptions): RibWatch {
  let watchedUntilMs = Number.NEGATIVE_INFINITY;
  let readyAtMs = Number.NEGATIVE_INFINITY;
  let cancel: (() => void) | null = null;

  return {
    extend(seconds) {
      watchedUntilMs = clock.now() + seconds * 1_000;
    },
    changed() {
      if (cancel !== null || clock.now() >= watchedUntilMs) return;
      cancel = clock.setTimer(Math.max(SETTLE_MS, readyAtMs - clock.now()), () => {
        cancel = null;
        readyAtMs = clock.now() + EVERY_MS;
        tell();
      });
    },
    stop() {
      cancel?.();
      cancel = null;
      watchedUntilMs = Number.NEGATIVE_INFINITY;
    },
  };
}
