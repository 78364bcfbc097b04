// Which faults happen in which round: each alone, then some together. Pure.
import type { FaultName } from "./kinds/fault-kinds.ts";
import { type Random, shuffle } from "./random.ts";

export type PlannedRound = readonly FaultName[];

const TOGETHER = [2, 2, 3];
/** One takes the other's effect away: the two together are one of them. */
export const EXCLUDED: readonly (readonly [FaultName, FaultName])[] = [
  ["controlPlaneDown", "relayEvicted"],
  ["controlPlaneDown", "unrulyMessages"],
  ["controlPlaneDown", "rapidReconnects"],
  ["loss10", "loss30"],
];

export function planRounds(names: readonly FaultName[], random: Random): PlannedRound[] {
  const combined = TOGETHER.map((count) => combine(names, count, random)).filter(({ length }) => length > 1);
  return [...names.map((name) => [name]), ...combined];
}

/** As many as there are that go together, in random order. */
function combine(names: readonly FaultName[], count: number, random: Random): PlannedRound {
  const chosen: FaultName[] = [];
  for (const name of shuffle(random, names)) {
    const isExcluded = EXCLUDED.some((pair) => pair.includes(name) && pair.some((one) => chosen.includes(one)));
    if (chosen.length < count && !isExcluded) chosen.push(name);
  }
  return chosen;
}
