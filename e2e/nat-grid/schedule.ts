// Which cells are measured together: such that no machine is in two of them, and few enough that two cores are not what is measured. Pure.
import type { NetworkKind } from "./kinds.ts";

export interface PlannedCell {
  readonly from: NetworkKind;
  readonly to: NetworkKind;
}

/** Every ordered pair of kinds once. The `a` machines stand in a row and the `b` machines shift past them, one step a round. */
export function scheduleCells(kinds: readonly NetworkKind[], { atOnce }: { atOnce: number }): PlannedCell[][] {
  return kinds.flatMap((_, shift) => {
    const round = kinds.map((from, index) => ({ from, to: kinds[(index + shift) % kinds.length] ?? from }));
    return splitEvery(round, atOnce);
  });
}

function splitEvery<T>(items: readonly T[], size: number): T[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size));
}
