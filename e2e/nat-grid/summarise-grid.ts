// From cells to the numbers that the grid is judged by. Pure.
import type { Cell, GridResult } from "./cell.ts";

export interface GridRuns {
  /** Repeated measurements of one pair of kinds, beside the grid's own cells. */
  readonly easyEasy: readonly Cell[];
  readonly easyHard: readonly Cell[];
}

export function summariseGrid(cells: readonly Cell[], runs: GridRuns): GridResult {
  const expected = cells.filter((cell) => cell.expected === "direct");
  return {
    cells: cells.length,
    reachable: cells.filter((cell) => cell.firstPingMs !== null).length,
    directExpected: expected.length,
    direct: expected.filter((cell) => cell.path === "direct").length,
    firstPingMs: spread(cells.flatMap((cell) => cell.firstPingMs ?? [])),
    easyEasyDirectMs: summariseRuns([...runs.easyEasy, ...between(cells, "easy", "easy")]),
    easyHardDirectMs: summariseRuns([...runs.easyHard, ...between(cells, "easy", "hard")]),
    problems: [
      ...cells.flatMap((cell) => toProblem(cell)),
      ...[runs.easyEasy, runs.easyHard].flatMap((repeated) =>
        repeated.flatMap((cell, index) => toProblem(cell, `, run ${index + 1}`)),
      ),
    ],
    cellsDetail: [...cells],
  };
}

const toProblem = ({ from, to, problem }: Cell, which = ""): string[] =>
  problem === null ? [] : [`${from} → ${to}${which}: ${problem}`];

/** In both directions. */
function between(cells: readonly Cell[], one: Cell["from"], other: Cell["from"]): Cell[] {
  return cells.filter(({ from, to }) => (from === one && to === other) || (from === other && to === one));
}

function summariseRuns(cells: readonly Cell[]): GridResult["easyEasyDirectMs"] {
  const times = cells.flatMap((cell) => cell.directMs ?? []);
  return { ...spread(times), runs: cells.length, direct: times.length };
}

/** Nearest rank; null without values. */
function spread(values: readonly number[]): { p50: number | null; p95: number | null } {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (percent: number) => sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? null;
  return { p50: at(50), p95: at(95) };
}
