// `npm test`: every stage in order, then a table, and as the very last line `N passed, N failed[, N skipped]`.
// A static stage counts as one test. Exit code 1 when anything failed, and with CI=true also when anything was left out.
//
//   npm test -- --only types        one stage (developers)
import { parseArgs } from "node:util";
import { runStage, type StageResult } from "./test/run-stage.ts";
import { STAGES } from "./test/stages.ts";
import { renderSummary, toVerdict } from "./test/summary.ts";

const { values } = parseArgs({
  options: { only: { type: "string", multiple: true }, help: { type: "boolean", short: "h" } },
});
const names = STAGES.map((stage) => stage.name);
const unknown = values.only?.find((name) => !names.includes(name));

if (values.help) {
  process.stdout.write(`usage: npm test [-- --only STAGE…]\nstages: ${names.join(", ")}\n`);
} else if (unknown !== undefined) {
  process.stderr.write(`there is no stage "${unknown}"; there are ${names.join(", ")}\n`);
  process.exitCode = 1;
} else {
  const results: StageResult[] = [];
  for (const stage of STAGES) {
    if (values.only && !values.only.includes(stage.name)) continue;
    results.push(await runStage(stage, { isRoot: process.getuid?.() === 0 }));
  }
  const isCi = process.env.CI === "true" || process.env.CI === "1";
  const verdict = toVerdict(results, { isCi });
  process.stdout.write(renderSummary(results, verdict));
  process.exitCode = verdict.isGood ? 0 : 1;
}
