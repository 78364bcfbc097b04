// alice behind an easy NAT, hugo behind a hard one, without UDP between them; carol and dora public. Everything that can break breaks, for ten
// seconds each; `npm run -s e2e -- faults --json` does it for a minute each.
import { expect, it } from "vitest";
import { FAULT_NAMES } from "../faults/kinds/fault-kinds.ts";
import { missedLimits } from "../faults/missed-limits.ts";
import { renderFaults } from "../faults/render-faults.ts";
import { runFaults } from "../faults/run-faults.ts";
import { writeResults } from "../faults/write-results.ts";

it("whatever breaks: nothing acknowledged is lost, what can flow does, and all is well within 15 s after", async () => {
  const seed = Math.floor(Math.random() * 1_000_000);
  // At once: a run that breaks off prints no table.
  process.stderr.write(`seed ${seed}\n`);
  const result = await runFaults({ names: FAULT_NAMES, seconds: 10, seed });
  writeResults(result);
  const table = renderFaults(result);
  expect(result.problems, table).toEqual([]);
  expect(missedLimits(result), table).toEqual([]);
}, 1_800_000);
