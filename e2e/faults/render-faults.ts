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

/** While it runs: what was lost, what was waited for, and the kinds of failed changes. */
export function renderRound(round: Round): string {
  const { name, lostPackets, convergeMs, parts, waitedFor, acknowledged, acknowledgedOfMembers, failed, problems } =
    round;
  const times = Object.entries(parts).map(([part, ms]) => `${part} ${ms ?? "–"}`);
  return [
    `${name}: ${lostPackets} pings lost, ${acknowledged} changes acknowledged (${acknowledgedOfMembers} of members) and ${failed.length} not; well after ${convergeMs ?? "–"} ms (${times.join(", ")})`,
    ...Object.entries(waitedFor).map(([part, what]) => `    ${part} at ${cut(what)}`),
    ...[...new Set(failed.map(cut))].slice(0, MOST_FAILURES).map((line) => `  ? ${line}`),
    ...problems.map((line) => `  ! ${line}`),
  ].join("\n");
}

const MOST_FAILURES = 4;
const MOST_CHARACTERS = 200;
const cut = (text: string): string => text.slice(0, MOST_CHARACTERS);

function toCells({ name, lostPackets, lostUnexpectedly, longestGapMs, convergeMs, parts }: Round): string[] {
  const [slowest] = Object.entries(parts).sort(([, a], [, b]) => (b ?? Infinity) - (a ?? Infinity));
  const mark = lostUnexpectedly === 0 ? "" : "!";
  const time = convergeMs === null ? "never" : `${convergeMs} ms`;
  return [name, String(lostPackets), `${mark}${lostUnexpectedly}`, `${longestGapMs} ms`, time, slowest?.[0] ?? "–"];
}
