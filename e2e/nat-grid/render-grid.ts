// The grid as a table for people. Pure.
import type { Cell, GridResult } from "./cell.ts";
import { KIND_WORDS, type NetworkKind } from "./kinds.ts";

export function renderGrid(result: GridResult): string {
  const kinds = [...new Set(result.cellsDetail.map((cell) => cell.from))];
  return [
    "Who reaches whom, and how. Rows: the machine that pings first; columns: the one that joins. `direct 420`: direct 420 ms after the",
    "second machine was put into the mesh; `relayed`: through the relay, for the reason below. `!`: not as expected.",
    "",
    ...renderTable(kinds, result.cellsDetail),
    "",
    `${result.reachable} of ${result.cells} cells reachable, first ping after p50 ${ms(result.firstPingMs.p50)}, p95 ${ms(result.firstPingMs.p95)}`,
    `${result.direct} of ${result.directExpected} cells direct that can be`,
    renderRuns("easy to easy", result.easyEasyDirectMs),
    renderRuns("easy to hard", result.easyHardDirectMs),
    "",
    ...kinds.map((kind) => `${kind.padEnd(11)} ${KIND_WORDS[kind]}`),
    "",
    ...renderReasons(result.cellsDetail),
    ...(result.problems.length === 0 ? [] : ["", "Not as expected:", ...result.problems.map((line) => `  ${line}`)]),
    "",
  ].join("\n");
}

function renderTable(kinds: readonly NetworkKind[], cells: readonly Cell[]): string[] {
  const rows = kinds.map((from) => [
    from,
    ...kinds.map((to) => renderCell(cells.find((cell) => cell.from === from && cell.to === to))),
  ]);
  const lines = [["", ...kinds], ...rows];
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? [];
  return lines.map((line) =>
    line
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

function renderCell(cell: Cell | undefined): string {
  if (!cell) return "-";
  const mark = cell.problem === null ? "" : "!";
  return cell.path === "direct" && cell.directMs !== null ? `${mark}direct ${cell.directMs}` : `${mark}${cell.path}`;
}

/** Each code of a reason once, with a message and the cells that gave it: the messages also tell times, which differ. */
function renderReasons(cells: readonly Cell[]): string[] {
  const indirect = cells.filter(({ path }) => path !== "direct");
  const codes = new Set(indirect.map(({ reason }) => reason?.code ?? null));
  return [...codes].flatMap((code) => {
    const given = indirect.filter(({ reason }) => (reason?.code ?? null) === code);
    const pairs = given.map(({ from, to }) => `${from} → ${to}`);
    return [`${code ?? "no reason given"}: ${given[0]?.reason?.message ?? ""}`, `  ${pairs.join(", ")}`];
  });
}

function renderRuns(words: string, { p50, p95, runs, direct }: GridResult["easyEasyDirectMs"]): string {
  return `${words}: direct in ${direct} of ${runs} runs, after p50 ${ms(p50)}, p95 ${ms(p95)}`;
}

const ms = (value: number | null): string => (value === null ? "–" : `${value} ms`);
