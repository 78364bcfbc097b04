// Aligned columns, a colour for each line. Pure.
import { styleText } from "node:util";

export interface Line {
  readonly cells: readonly string[];
  /** Green; else yellow. */
  readonly isWhole: boolean;
}

/** Three spaces between columns, none at the end of a line. */
export function renderColouredTable(
  headings: readonly string[],
  lines: readonly Line[],
  { isColoured }: { readonly isColoured: boolean },
): string {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...lines.map(({ cells }) => cells[column]?.length ?? 0)),
  );
  const renderLine = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("   ")
      .trimEnd();
  const paint = (colour: "dim" | "green" | "yellow", text: string) => (isColoured ? styleText(colour, text) : text);
  const body = lines.map(({ cells, isWhole }) => paint(isWhole ? "green" : "yellow", renderLine(cells)));
  return [paint("dim", renderLine(headings)), ...body].join("\n");
}
