// Changes of links, told to the Mesh object a moment later and together: what changes back at once is worth one event, not two.
import { MAX_LINK_REPORTS } from "#schema/limits";
import type { LinkReport } from "#schema/path";
import type { Clock } from "../system/clock.ts";

export interface LinkReporter {
  add(link: LinkReport): void;
  stop(): void;
}

const DELAY_MS = 500;

/** @param send false: not connected, so it is kept for later */
export function createLinkReporter(clock: Clock, send: (links: LinkReport[]) => boolean): LinkReporter {
  let waiting: LinkReport[] = [];
  let cancel: (() => void) | null = null;

  function flush(): void {
    cancel = null;
    if (waiting.length === 0) return;
    const some = waiting.slice(0, MAX_LINK_REPORTS);
    if (send(some)) waiting = waiting.slice(some.length);
    if (waiting.length > 0) schedule();
  }
  function schedule(): void {
    cancel ??= clock.setTimer(DELAY_MS, flush);
  }

  return {
    add(link) {
      // The oldest go when nobody takes them for long.
      waiting = [...waiting, link].slice(-MAX_LINK_REPORTS * 4);
      schedule();
    },
    stop: () => cancel?.(),
  };
}
