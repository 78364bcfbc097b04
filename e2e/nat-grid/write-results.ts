// e2e/results/nat-grid.json and nat-grid.txt.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { GridResult } from "./cell.ts";
import { renderGrid } from "./render-grid.ts";

const RESULTS = path.resolve(import.meta.dirname, "../results");

export function writeResults(result: GridResult): void {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(path.join(RESULTS, "nat-grid.json"), `${JSON.stringify(result, null, 2)}\n`);
  writeFileSync(path.join(RESULTS, "nat-grid.txt"), renderGrid(result));
}
