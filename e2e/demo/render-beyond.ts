// What is beyond the mesh, as text: who brings it, and who reaches it. Pure.
import { styleText } from "node:util";

export interface BeyondRow {
  readonly name: string;
  readonly address: string;
  /** The members to which the others send what is for it. */
  readonly through: readonly string[];
  readonly reachedBy: readonly string[];
  /** How many should reach it. */
  readonly wanted: number;
}

export function renderBeyond(rows: readonly BeyondRow[], { isColoured = false } = {}): string {
  const headings = ["BEYOND THE MESH", "ADDRESS", "THROUGH", "REACHED BY"];
  const lines = rows.map(({ name, address, through, reachedBy, wanted }) => [
    name,
    address,
    through.join(", ") || "–",
    reachedBy.length === wanted ? `all ${wanted}` : reachedBy.join(", ") || "nobody",
  ]);
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...lines.map((line) => line[column]?.length ?? 0)),
  );
  const renderLine = (line: readonly string[]) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("   ")
      .trimEnd();
  const paint = (colour: "dim" | "green" | "yellow", text: string) => (isColoured ? styleText(colour, text) : text);
  const body = rows.map(({ reachedBy, wanted }, index) =>
    paint(reachedBy.length === wanted ? "green" : "yellow", renderLine(lines[index] ?? [])),
  );
  return [paint("dim", renderLine(headings)), ...body].join("\n");
}
