// The demo's live table, as text. Pure.
import { styleText } from "node:util";

export interface MachineRow {
  readonly name: string;
  /** Where it stands: `on LAN home`, `public`. */
  readonly place: string;
  readonly meshIp: string | null;
  readonly peersUp: number;
  readonly peerCount: number;
  /** Of its oldest handshake among the peers that are up; null when none is. */
  readonly handshakeAgeSeconds: number | null;
  /** What is wrong, in words; null when nothing is. */
  readonly problem: string | null;
}

const HEADINGS = ["MACHINE", "PLACE", "MESH IP", "PEERS UP", "HANDSHAKE", ""] as const;

export function renderTable(rows: readonly MachineRow[], { isColoured = false } = {}): string {
  const cells = rows.map((row) => [
    row.name,
    row.place,
    row.meshIp ?? "joining …",
    `${row.peersUp} of ${row.peerCount}`,
    row.handshakeAgeSeconds === null ? "–" : `${row.handshakeAgeSeconds} s ago`,
    row.problem ?? "",
  ]);
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, ...cells.map((line) => line[column]?.length ?? 0)),
  );
  const renderLine = (line: readonly string[]) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("   ")
      .trimEnd();
  const paint = (colour: "dim" | "green" | "yellow", text: string) => (isColoured ? styleText(colour, text) : text);
  const body = rows.map((row, index) => {
    const isWhole = row.peersUp === row.peerCount && row.problem === null;
    return paint(isWhole ? "green" : "yellow", renderLine(cells[index] ?? []));
  });
  return [paint("dim", renderLine(HEADINGS)), ...body].join("\n");
}
