// npm run -s e2e -- nat-grid --json: the grid with repeated runs; prints the table on stderr and one JSON object on stdout's last line. Ends with
// 1 when a cell or a run is not as expected, or a limit is missed.
import { parseArgs } from "node:util";
import { missedLimits } from "./missed-limits.ts";
import { renderGrid } from "./render-grid.ts";
import { runGrid } from "./run-grid.ts";
import { writeResults } from "./write-results.ts";

const { values } = parseArgs({
  options: { json: { type: "boolean" }, runs: { type: "string", default: "20" } },
});
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort());

const result = await runGrid({
  atOnce: 1,
  runs: Number(values.runs),
  signal: stop.signal,
  onCell: ({ from, to, path, firstPingMs, directMs, problem }) =>
    process.stderr.write(
      `${from} → ${to}: first ping ${firstPingMs ?? "–"} ms, ${path}${directMs === null ? "" : ` after ${directMs} ms`}${problem === null ? "" : `   ! ${problem}`}\n`,
    ),
});
writeResults(result);
process.stderr.write(`${renderGrid(result)}\n`);
process.stdout.write(`${JSON.stringify(result)}\n`);
const missed = missedLimits(result);
for (const line of missed) process.stderr.write(`! ${line}\n`);
process.exitCode = result.problems.length === 0 && missed.length === 0 ? 0 : 1;
