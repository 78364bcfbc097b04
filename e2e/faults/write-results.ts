// e2e/results/faults.json and faults.txt.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { renderFaults } from "./render-faults.ts";
import type { FaultsResult } from "./result.ts";

const RESULTS = path.resolve(import.meta.dirname, "../results");

export function writeResults(result: FaultsResult): void {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(path.join(RESULTS, "faults.json"), `${JSON.stringify(result, null, 2)}\n`);
  writeFileSync(path.join(RESULTS, "faults.txt"), renderFaults(result));
}
