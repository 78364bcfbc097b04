// From single runs to the numbers that are compared. Pure.
import { median, round } from "../lib/measure.ts";
import type { IperfResult } from "./parse-iperf.ts";

/** One right after the other, so that both had the same machine. */
export interface PairedRun {
  readonly handMade: IperfResult;
  readonly direct: IperfResult;
}

export interface DatapathSummary {
  readonly handMadeMbps: number;
  readonly directMbps: number;
  readonly relayedMbps: number;
  /** Median of the ratios of each pair, which is not the ratio of the medians. */
  readonly ratioDirectToHandMade: number;
  /** The lowest and the highest of these ratios: how far to trust their median. */
  readonly ratioRange: readonly [number, number];
}

export function summariseRuns(pairs: readonly PairedRun[], relayed: readonly IperfResult[]): DatapathSummary {
  const ratios = pairs.map(({ handMade, direct }) => direct.mbps / handMade.mbps);
  const toMbps = (results: readonly IperfResult[]) => round(median(results.map(({ mbps }) => mbps)), 1);
  return {
    handMadeMbps: toMbps(pairs.map(({ handMade }) => handMade)),
    directMbps: toMbps(pairs.map(({ direct }) => direct)),
    relayedMbps: toMbps(relayed),
    ratioDirectToHandMade: round(median(ratios), 3),
    ratioRange: [round(Math.min(...ratios), 3), round(Math.max(...ratios), 3)],
  };
}
