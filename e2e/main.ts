// npm run e2e [-- NAME …]: the end-to-end scenarios, all or those whose file name contains a NAME.
import { spawnSync } from "node:child_process";

const HELP = `Usage: npm run e2e [-- NAME …]

Builds the agent and runs the end-to-end scenarios in the lab: all, or those whose file name contains a NAME. Needs root.`;

const names = process.argv.slice(2);
if (names.includes("--help")) {
  process.stdout.write(`${HELP}\n`);
} else {
  const build = spawnSync(process.execPath, ["scripts/build.ts"], { stdio: ["ignore", "ignore", "inherit"] });
  const tests = ["vitest", "run", "--project", "e2e", ...names];
  process.exitCode = build.status === 0 ? (spawnSync("npx", tests, { stdio: "inherit" }).status ?? 1) : 1;
}
