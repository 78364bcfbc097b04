// What is known of this machine's NAT: measured when something is new, again while it was not found out, and when somebody asks. One
// measurement at a time; a newer one takes the place of one that is under way, also for those who wait for it.

import type { Endpoint } from "#schema/address";
import { isHardNat, type NatReport, type NatSummary } from "#schema/nat";
import type { Clock } from "../system/clock.ts";
import type { Logger } from "../system/logger.ts";
import { toNatSummary } from "./classify.ts";
import type { NatProber } from "./nat-prober.ts";

export interface NatWatch {
  /** Null: not known yet. */
  summary(): NatSummary | null;
  /** As it was measured last. */
  report(): NatReport | null;
  /** What the measurement that is under way finds, else a new one. Null: there is nobody to ask. Rejects when it fails. */
  measure(): Promise<NatReport | null>;
  /** Measures in a moment: something that it depends on is another. */
  renew(): void;
  stop(): void;
}

export interface NatWatchOptions {
  /** Null: there is nothing to ask from, or nobody. */
  readonly createProber: () => NatProber | null;
  readonly clock: Clock;
  readonly log: Logger;
  /** `summary` says something else. */
  readonly onChanged: () => void;
  /** With a server that does RFC 5780, if there is one. */
  readonly onMeasured: (report: NatReport, discoveryServer: Endpoint | null) => void;
}

/** Servers, addresses and meshes come one after the other when an agent starts. */
const SETTLE_MS = 20;
/** A NAT that was not found out is asked again after this long, then after twice that. One server alone, or blocked UDP, stay as they are. */
const FIRST_RETRY_MS = 60_000;
const MAX_RETRY_MS = 600_000;

interface Measurement {
  readonly end: AbortController;
  readonly report: Promise<NatReport>;
}

export function createNatWatch({ createProber, clock, log, onChanged, onMeasured }: NatWatchOptions): NatWatch {
  let summary: NatSummary | null = null;
  let report: NatReport | null = null;
  let running: Measurement | null = null;
  let retries = 0;
  let isStopped = false;
  let cancelTimer = () => {};

  function schedule(afterMs: number): void {
    cancelTimer();
    cancelTimer = clock.setTimer(afterMs, begin);
  }

  const retry = () => schedule(Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** retries++));

  function end(): void {
    running?.end.abort();
    running = null;
  }

  function begin(): Measurement | null {
    end();
    const prober = isStopped ? null : createProber();
    if (prober === null) return null;
    const controller = new AbortController();
    const measurement: Measurement = { end: controller, report: run(prober, controller.signal) };
    running = measurement;
    measurement.report.then(finish, (error: unknown) => {
      if (controller.signal.aborted) return;
      log.debug("the NAT could not be measured", { error });
      finish();
      retry();
    });
    return measurement;
  }

  function finish(): void {
    running = null;
  }

  async function run(prober: NatProber, signal: AbortSignal): Promise<NatReport> {
    const measured = await prober.measure({
      signal,
      onQuick: ({ summary: look }) => {
        if (isOther(look, summary)) take(look);
      },
    });
    signal.throwIfAborted();
    report = measured;
    take(toNatSummary(measured));
    onMeasured(measured, prober.discoveryServer());
    if (measured.mapping === "unknown") retry();
    else retries = 0;
    return measured;
  }

  function take(next: NatSummary): void {
    const isSame = JSON.stringify(next) === JSON.stringify(summary);
    summary = next;
    if (!isSame) onChanged();
  }

  return {
    summary: () => summary,
    report: () => report,
    async measure() {
      for (;;) {
        const current = running ?? begin();
        if (current === null) return null;
        try {
          return await current.report;
        } catch (error) {
          if (!current.end.signal.aborted) throw error;
        }
      }
    },
    renew() {
      end();
      retries = 0;
      schedule(SETTLE_MS);
    },
    stop() {
      isStopped = true;
      cancelTimer();
      end();
    },
  };
}

/**
 * A quick look doesn't know the filtering, nor the kind of a hard mapping, nor any mapping from one server: where it contradicts nothing, what was
 * measured before stays until the report.
 */
function isOther(look: NatSummary, known: NatSummary | null): boolean {
  if (known === null || look.isUdpOpen !== known.isUdpOpen || look.publicAddress !== known.publicAddress) return true;
  const isSameMapping = look.mapping === known.mapping || (isHardNat(look) && isHardNat(known));
  return look.mapping !== "unknown" && !isSameMapping;
}
