// What the run's numbers must be. Pure.
import type { FaultsResult } from "./result.ts";

const MOST_CONVERGE_MS = 15_000;

/** A sentence for each limit that is missed. */
export function missedLimits({ acknowledgedLost, addressesGivenTwice, faults }: FaultsResult): string[] {
  return [
    ...(acknowledgedLost === 0 ? [] : [`${acknowledgedLost} changes that were acknowledged are lost`]),
    ...(addressesGivenTwice === 0 ? [] : [`${addressesGivenTwice} addresses were given twice`]),
    ...faults.flatMap(({ name, convergeMs }) =>
      convergeMs !== null && convergeMs <= MOST_CONVERGE_MS
        ? []
        : [
            `${name}: ${convergeMs === null ? "never well again" : `well after ${convergeMs} ms`}, at most ${MOST_CONVERGE_MS} ms`,
          ],
    ),
  ];
}
