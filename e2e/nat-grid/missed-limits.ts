// What the grid's numbers must be, measured one cell at a time. Pure.
import type { GridResult } from "./cell.ts";

const LIMITS: readonly {
  readonly what: string;
  readonly of: (result: GridResult) => number | null;
  readonly mostMs: number;
}[] = [
  { what: "first ping, p95", of: ({ firstPingMs }) => firstPingMs.p95, mostMs: 2_000 },
  { what: "easy to easy direct, p50", of: ({ easyEasyDirectMs }) => easyEasyDirectMs.p50, mostMs: 1_000 },
  { what: "easy to easy direct, p95", of: ({ easyEasyDirectMs }) => easyEasyDirectMs.p95, mostMs: 3_000 },
  { what: "easy to hard direct, p50", of: ({ easyHardDirectMs }) => easyHardDirectMs.p50, mostMs: 2_000 },
];

/** A sentence for each limit that is missed, with what was measured. */
export function missedLimits(result: GridResult): string[] {
  const { reachable, cells, direct, directExpected } = result;
  return [
    ...(reachable === cells ? [] : [`reachable: ${reachable} of ${cells} cells`]),
    ...(direct === directExpected ? [] : [`direct: ${direct} of ${directExpected} cells that can be`]),
    ...LIMITS.flatMap(({ what, of, mostMs }) => {
      const measuredMs = of(result);
      if (measuredMs !== null && measuredMs <= mostMs) return [];
      return [`${what}: ${measuredMs === null ? "never" : `${measuredMs} ms`}, at most ${mostMs} ms`];
    }),
  ];
}
