// What is known of how long the NAT keeps a mapping: measured once a day at most, and anew in another network. On sockets of its own.
import type { Endpoint } from "#schema/address";
import type { NatMapping } from "#schema/nat";
import type { Clock } from "../system/clock.ts";
import type { Logger } from "../system/logger.ts";
import type { measureLifetime } from "./lifetime.ts";

export interface LifetimeWatch {
  /** Null: not known of this network. */
  seconds(): number | null;
  /** The NAT was measured, with a server that does RFC 5780 or without one. */
  natMeasured(mapping: NatMapping, server: Endpoint | null): void;
  networkChanged(): void;
  stop(): void;
}

export interface LifetimeWatchOptions {
  readonly measure: (server: Endpoint, signal: AbortSignal) => ReturnType<typeof measureLifetime>;
  readonly clock: Clock;
  readonly log: Logger;
  /** `seconds` says something else. */
  readonly onChanged: () => void;
}

/** Not while everything else begins. */
const AFTER_MS = 10_000;
const ONCE_A_DAY_MS = 24 * 3_600_000;

export function createLifetimeWatch({ measure, clock, log, onChanged }: LifetimeWatchOptions): LifetimeWatch {
  let seconds: number | null = null;
  /** When a measurement in this network ended, also one that found nothing. */
  let measuredAtMs: number | null = null;
  let running: AbortController | null = null;
  let cancelTimer = () => {};

  function take(next: number | null): void {
    const isSame = next === seconds;
    seconds = next;
    if (!isSame) onChanged();
  }

  async function run(server: Endpoint): Promise<void> {
    const end = new AbortController();
    running = end;
    try {
      const measured = await measure(server, end.signal);
      if (end.signal.aborted) return;
      if (!measured.ok) log.debug("a mapping's lifetime could not be measured", { reason: measured.error.message });
      measuredAtMs = clock.now();
      take(measured.ok ? measured.value : null);
    } finally {
      if (running === end) running = null;
    }
  }

  function stop(): void {
    cancelTimer();
    running?.abort();
    running = null;
  }

  return {
    seconds: () => seconds,
    natMeasured(mapping, server) {
      const isDue = measuredAtMs === null || clock.now() - measuredAtMs >= ONCE_A_DAY_MS;
      const isNat = mapping !== "none" && mapping !== "unknown";
      if (server === null || !isNat || !isDue || running !== null) return;
      cancelTimer();
      cancelTimer = clock.setTimer(AFTER_MS, () => {
        run(server).catch((error: unknown) => log.debug("a mapping's lifetime could not be measured", { error }));
      });
    },
    networkChanged() {
      stop();
      measuredAtMs = null;
      // Of another NAT: until it is measured the safe value counts.
      take(null);
    },
    stop,
  };
}
