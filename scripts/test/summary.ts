// The end of `npm test`: what was run, what was left out, and whether that is good. Pure.
import type { StageResult } from "./run-stage.ts";
import type { Counts } from "./vitest-counts.ts";

export interface Verdict extends Counts {
  readonly isGood: boolean;
  /** What a person should know besides the counts. */
  readonly notes: readonly string[];
}

export function toVerdict(results: readonly StageResult[], { isCi }: { isCi: boolean }): Verdict {
  const sum = (key: keyof Counts) => results.reduce((total, result) => total + result[key], 0);
  const leftOut = results.filter((result) => result.leftOut !== null);
  const skipped = sum("skipped");
  const isIncomplete = leftOut.length > 0 || skipped > 0;
  const notes = [
    ...leftOut.map((result) => `left out: ${result.name} (${result.leftOut})`),
    ...(isCi && isIncomplete ? ["CI=true: leaving anything out or skipping it is a failure"] : []),
  ];
  const failed = sum("failed");
  return { passed: sum("passed"), failed, skipped, notes, isGood: failed === 0 && !(isCi && isIncomplete) };
}

export function renderSummary(results: readonly StageResult[], verdict: Verdict): string {
  const header = ["stage", "passed", "failed", "skipped", "seconds"];
  const rows = results.map(({ name, passed, failed, skipped, leftOut, seconds }) =>
    leftOut === null
      ? [name, passed, failed, skipped, seconds.toFixed(1)].map(String)
      : [name, "–", "–", "–", "left out"],
  );
  const widths = header.map((title, column) =>
    Math.max(...[header, ...rows].map((row) => (row[column] ?? title).length)),
  );
  const table = [header, ...rows].map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  "),
  );
  const counts = [`${verdict.passed} passed`, `${verdict.failed} failed`];
  if (verdict.skipped > 0) counts.push(`${verdict.skipped} skipped`);
  return ["", ...table, "", ...verdict.notes, counts.join(", "), ""].join("\n");
}
