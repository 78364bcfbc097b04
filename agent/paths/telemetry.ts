// What somebody wants to see of a mesh's paths, measured for as long as they look.
import type { DesiredMesh, PeerRow } from "#schema/desired-state";
import type { NatSummary } from "#schema/nat";
import type { PeerExplanation } from "#schema/path";
import type { TelemetryReport } from "#schema/wire/messages";
import type { Clock } from "../system/clock.ts";
import { toCandidateOutcomes, toConnectivity, toNextTryAt, toPathReason } from "./core/explain-path.ts";
import type { Pair } from "./pair.ts";
import type { PeerSample } from "./sampler.ts";

export interface Explained {
  readonly mesh: DesiredMesh["mesh"];
  readonly row: PeerRow;
  readonly pair: Pair;
  readonly sample: PeerSample | null;
  readonly localNat: NatSummary | null;
  readonly nowMs: number;
}

export function toExplanation({ mesh, row, pair, sample, localNat, nowMs }: Explained): PeerExplanation {
  const state = pair.state();
  const { path } = state;
  const handshakeMs = sample?.peer.latestHandshakeMs ?? null;
  return {
    meshId: mesh.id,
    machineId: row.machineId,
    name: row.name,
    status: toConnectivity(state, nowMs),
    path: path.kind,
    gatewayId: path.kind === "transit" ? path.gatewayId : null,
    endpoint: path.kind === "direct" ? path.endpoint : null,
    handshakeAgeSeconds: handshakeMs === null ? null : Math.max(0, Math.round((nowMs - handshakeMs) / 1_000)),
    latencyMs: pair.quality.latencyMs(),
    lossRatio: pair.quality.lossRatio(nowMs),
    rxBytesPerSecond: Math.round(sample?.rxBytesPerSecond ?? 0),
    txBytesPerSecond: Math.round(sample?.txBytesPerSecond ?? 0),
    reason: toPathReason(state, nowMs),
    candidates: toCandidateOutcomes(state, nowMs),
    localNat,
    peerNat: row.nat ?? null,
    nextTryAt: toNextTryAt(state, nowMs),
    since: new Date(state.sinceMs).toISOString(),
  };
}

/** A message may have 64 KiB; an explanation with all its candidates takes about 3 KB. */
const PEERS_PER_PART = 12;

/** One report in as many messages as it needs. */
export function toTelemetryReports(report: Omit<TelemetryReport, "type" | "hasMore">): TelemetryReport[] {
  const parts: PeerExplanation[][] = [];
  for (let index = 0; index === 0 || index < report.peers.length; index += PEERS_PER_PART) {
    parts.push(report.peers.slice(index, index + PEERS_PER_PART));
  }
  return parts.map((peers, index) => {
    const isLast = index === parts.length - 1;
    const rest = isLast ? report : { ...report, endpoints: [], nat: null };
    return { type: "telemetry.report", ...rest, peers, ...(isLast ? {} : { hasMore: true }) };
  });
}

export interface Watch {
  /** Begins, or goes on, for this long. */
  extend(seconds: number): void;
  isWatched(): boolean;
  stop(): void;
}

interface WatchOptions {
  readonly clock: Clock;
  /** Measures once more. */
  readonly measure: () => void;
  /** @param isSteady rates and loss are of more than a moment */
  readonly report: (isSteady: boolean) => void;
}

const INTERVAL_MS = 1_000;
/** Rates need two looks, loss an answer that had its time. */
const STEADY_AFTER = 2;

export function createWatch({ clock, measure, report }: WatchOptions): Watch {
  let untilMs = 0;
  let count = 0;
  let cancel: (() => void) | null = null;

  function tick(): void {
    cancel = null;
    if (clock.now() >= untilMs) {
      count = 0;
      return;
    }
    count++;
    measure();
    report(count > STEADY_AFTER);
    cancel = clock.setTimer(INTERVAL_MS, tick);
  }

  return {
    extend(seconds) {
      untilMs = Math.max(untilMs, clock.now() + seconds * 1_000);
      if (cancel === null) tick();
    },
    isWatched: () => clock.now() < untilMs,
    stop: () => cancel?.(),
  };
}
