// npm run -s e2e -- faults --json [--seconds N] [--only a,b] [--seed S]: the faults one after the other, then some together; prints the table on
// stderr and one JSON object on stdout's last line. Ends with 1 when something was not as it should be, or a limit is missed.
import { parseArgs } from "node:util";
import { FAULT_NAMES, isFaultName } from "./kinds/fault-kinds.ts";
import { missedLimits } from "./missed-limits.ts";
import { renderFaults, renderRound } from "./render-faults.ts";
import { runFaults } from "./run-faults.ts";
import { writeResults } from "./write-results.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean" },
    seconds: { type: "string", default: "60" },
    only: { type: "string" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 1_000_000)) },
  },
});
const wanted = values.only?.split(",") ?? FAULT_NAMES;
const unknown = wanted.filter((name) => !isFaultName(name));
if (unknown.length > 0) {
  process.stderr.write(`there is no fault ${unknown.join(", ")}; there are ${FAULT_NAMES.join(", ")}\n`);
  process.exit(2);
}
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort());

process.stderr.write(`seed ${values.seed}\n`);
const result = await runFaults({
  names: wanted.filter(isFaultName),
  seconds: Number(values.seconds),
  seed: Number(values.seed),
  signal: stop.signal,
  onRound: (round) => process.stderr.write(`${renderRound(round)}\n`),
});
writeResults(result);
process.stderr.write(`${renderFaults(result)}\n`);
const missed = missedLimits(result);
for (const line of missed) process.stderr.write(`! ${line}\n`);
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exitCode = result.problems.length === 0 && missed.length === 0 ? 0 : 1;
