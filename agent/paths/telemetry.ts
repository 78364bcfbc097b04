// What somebody wants to see of a mesh's paths, measured for as long as they look.
import type { BgpSession } from "#schema/bgp";
import type { DesiredMesh, PeerRow } from "#schema/desired-state";
import { MAX_MACHINE_MESSAGE_BYTES } from "#schema/limits";
import type { NatSummary } from "#schema/nat";
import type { PeerExplanation } from "#schema/path";
import type { TelemetryReport } from "#schema/wire/messages";
import type { Clock } from "../system/clock.ts";
import { isInDoubt, toCandidateOutcomes, toConnectivity, toNextTryAt, toPathReason } from "./core/explain-path.ts";
import type { Pair } from "./pair.ts";
import type { PeerSample } from "./sampler.ts";

export interface Explained {
  readonly mesh: DesiredMesh["mesh"];
  readonly row: PeerRow;
  readonly pair: Pair;
  readonly sample: PeerSample | null;
  readonly localNat: NatSummary | null;
  readonly bgp: BgpSession;
  readonly nowMs: number;
  /** By the wall clock. */
  readonly toWallMs: (atMs: number) => number;
}

export function toExplanation({ mesh, row, pair, sample, localNat, bgp, nowMs, toWallMs }: Explained): PeerExplanation {
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
    inDoubt: isInDoubt(state, nowMs),
    reason: toPathReason(state, nowMs),
    bgp,
    candidates: toCandidateOutcomes(state, nowMs, toWallMs),
    localNat,
    peerNat: row.nat ?? null,
    nextTryAt: toNextTryAt(state, nowMs, toWallMs),
    since: new Date(toWallMs(state.sinceMs)).toISOString(),
  };
}

type Report = Omit<TelemetryReport, "type" | "hasMore">;
type Contents = Pick<Report, "peers" | "endpoints" | "nat" | "announcements">;

/** Of what a part holds. Well below the limit of a message, so that its frame and what is sent with it over long-poll have room. */
const PART_BYTES = (MAX_MACHINE_MESSAGE_BYTES * 3) / 4;

/** One report in as many messages as it needs. */
export function toTelemetryReports(report: Report): TelemetryReport[] {
  const parts: Contents[] = [];
  let part: Contents = EMPTY;
  let partBytes = 0;
  for (const piece of toPieces(report)) {
    const bytes = Buffer.byteLength(JSON.stringify(piece));
    if (partBytes + bytes > PART_BYTES && partBytes > 0) {
      parts.push(part);
      part = EMPTY;
      partBytes = 0;
    }
    part = {
      peers: [...part.peers, ...piece.peers],
      endpoints: [...part.endpoints, ...piece.endpoints],
      nat: piece.nat ?? part.nat,
      announcements: [...part.announcements, ...piece.announcements],
    };
    partBytes += bytes;
  }
  parts.push(part);
  return parts.map((contents, index) => ({
    ...{ type: "telemetry.report", ...contents, isSteady: report.isSteady },
    ...(index === parts.length - 1 ? {} : { hasMore: true }),
  }));
}

const EMPTY: Contents = { peers: [], endpoints: [], nat: null, announcements: [] };

const toPieces = ({ peers, endpoints, nat, announcements }: Report): Contents[] => [
  ...peers.map((peer) => ({ ...EMPTY, peers: [peer] })),
  ...endpoints.map((endpoint) => ({ ...EMPTY, endpoints: [endpoint] })),
  ...announcements.map((announcement) => ({ ...EMPTY, announcements: [announcement] })),
  ...(nat === null ? [] : [{ ...EMPTY, nat }]),
];

export interface Watch {
  /** Begins, or goes on, for this long. */
  extend(seconds: number): void;
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
    stop: () => cancel?.(),
  };
}
