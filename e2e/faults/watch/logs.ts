// What agents and the control plane write to their logs while something is broken, and whether its levels mean what they should: `error` is for
// what a person has to mend, `warn` for what is unusual.
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import path from "node:path";
import type { LabNode } from "../../lab/node.ts";

export interface LogLine {
  readonly node: string;
  readonly level: string;
  readonly message: string;
  readonly text: string;
  /** Milliseconds since the epoch; null: it does not say. */
  readonly atMs: number | null;
}

/** Of one kind, by one program, in a minute. */
const WARNINGS_PER_MINUTE = 10;
/** Of an agent or the control plane (`node …`). */
const PROGRAM_LOG = /-node\.log$/;

export interface Logs {
  /** What was written since the last time. */
  take(): LogLine[];
}

export function watchLogs(nodes: readonly LabNode[]): Logs {
  const offsets = new Map<string, number>();
  return {
    take: () =>
      nodes.flatMap((node) =>
        node
          .logFiles()
          .filter((file) => PROGRAM_LOG.test(path.basename(file)))
          .flatMap((file) => {
            const text = readFrom(file, offsets.get(file) ?? 0);
            // The last line may be half written.
            const whole = text.slice(0, text.lastIndexOf("\n") + 1);
            offsets.set(file, (offsets.get(file) ?? 0) + Buffer.byteLength(whole));
            return parseLogLines(node.name, whole);
          }),
      ),
  };
}

export function parseLogLines(node: string, text: string): LogLine[] {
  return text.split("\n").flatMap((line) => {
    if (line.trim() === "") return [];
    try {
      const { time, level, message } = JSON.parse(line) as { time?: string; level: string; message: string };
      return [{ node, level, message, text: line, atMs: time === undefined ? null : Date.parse(time) }];
    } catch {
      // The start's words of the control plane, and whatever a runtime says by itself.
      return [{ node, level: "none", message: line, text: line, atMs: null }];
    }
  });
}

/** Lines that stand above what their level means, in words. `durationMs`: of the time in which they were written. */
export function judgeLogs(
  lines: readonly LogLine[],
  { expectedErrors, durationMs }: { expectedErrors: readonly RegExp[]; durationMs: number },
): string[] {
  const errors = lines.filter(({ level, text }) => level === "error" && !expectedErrors.some((one) => one.test(text)));
  const warnings = new Map<string, number>();
  for (const { node, level, message } of lines)
    if (level === "warn") warnings.set(`${node}: ${message}`, (warnings.get(`${node}: ${message}`) ?? 0) + 1);
  const most = Math.ceil(WARNINGS_PER_MINUTE * Math.max(1, durationMs / 60_000));
  return [
    ...errors.map(({ node, text }) => `${node} wrote an error: ${text.slice(0, 400)}`),
    ...[...warnings].flatMap(([what, count]) => (count > most ? [`${count} warnings of ${what}`] : [])),
  ];
}

/** What was written around these times, in order. */
export function findAround(lines: readonly LogLine[], timesMs: readonly number[]): string[] {
  const near = lines.filter(({ atMs }) => atMs !== null && timesMs.some((one) => Math.abs(atMs - one) < AROUND_MS));
  return near
    .toSorted((a, b) => Number(a.atMs) - Number(b.atMs))
    .slice(0, MOST_AROUND)
    .map(({ node, text }) => `meanwhile ${node}: ${text.slice(0, 300)}`);
}

const AROUND_MS = 700;
const MOST_AROUND = 40;

function readFrom(file: string, offset: number): string {
  const handle = openSync(file, "r");
  try {
    const length = fstatSync(handle).size - offset;
    const buffer = Buffer.alloc(Math.max(0, length));
    readSync(handle, buffer, 0, buffer.length, offset);
    return buffer.toString("utf8");
  } finally {
    closeSync(handle);
  }
}
