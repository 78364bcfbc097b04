// What is beyond the mesh, as text: who brings it, and who reaches it. Pure.
import { renderColouredTable } from "./coloured-table.ts";

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
  const lines = rows.map(({ name, address, through, reachedBy, wanted }) => {
    const isWhole = reachedBy.length === wanted;
    const reached = isWhole ? `all ${wanted}` : reachedBy.join(", ") || "nobody";
    return { cells: [name, address, through.join(", ") || "–", reached], isWhole };
  });
  return renderColouredTable(["BEYOND THE MESH", "ADDRESS", "THROUGH", "REACHED BY"], lines, { isColoured });
}
