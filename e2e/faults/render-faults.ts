// The run as a table for people. Pure.
import type { FaultsResult, Round } from "./result.ts";

export function renderFaults(result: FaultsResult): string {
  const header = ["fault", "lost", "unexpected", "longest gap", "well after", "the slowest part"];
  const lines = [header, ...result.faults.map(toCells)];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return [
    `Faults, each for ${result.seconds} s. Lost: pings of all pairs, one every 50 ms; unexpected: between pairs that must lose none.`,
    "",
    ...lines.map((line) =>
      line
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    ),
    "",
    `${result.acknowledged} changes acknowledged, ${result.acknowledgedLost} lost, ${result.addressesGivenTwice} addresses given twice; seed ${result.seed}`,
    ...(result.problems.length === 0
      ? []
      : ["", "Not as it should be:", ...result.problems.map((line) => `  ${line}`)]),
    "",
  ].join("\n");
}

function toCells({ name, lostPackets, lostUnexpectedly, longestGapMs, convergeMs, parts }: Round): string[] {
  const [slowest] = Object.entries(parts).sort(([, a], [, b]) => (b ?? Infinity) - (a ?? Infinity));
  const mark = lostUnexpectedly === 0 ? "" : "!";
  const time = convergeMs === null ? "never" : `${convergeMs} ms`;
  return [name, String(lostPackets), `${mark}${lostUnexpectedly}`, `${longestGapMs} ms`, time, slowest?.[0] ?? "–"];
}
