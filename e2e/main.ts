// npm run e2e [-- NAME …]: the end-to-end scenarios, all or those whose file name contains a NAME.
import { spawnSync } from "node:child_process";

const HELP = `Usage: npm run e2e [-- NAME …]
       npm run -s e2e -- nat-grid --json

Builds the agent and runs the end-to-end scenarios in the lab: all, or those whose file name contains a NAME. Needs root.

nat-grid --json measures every kind of network against every other, easy to easy and easy to hard twenty times more, and prints one JSON
object on the last line. Table and numbers are also in e2e/results/.

installer is left out of \`npm test\`: its first run makes a Debian, which takes a minute and Debian's mirror.`;

const names = process.argv.slice(2);
if (names.includes("--help")) {
  process.stdout.write(`${HELP}\n`);
} else {
  process.exitCode = build() === 0 ? run() : 1;
}

function build(): number {
  return spawnSync(process.execPath, ["scripts/build.ts"], { stdio: ["ignore", "ignore", "inherit"] }).status ?? 1;
}

function run(): number {
  if (names.includes("nat-grid") && names.includes("--json")) {
    const argv = ["e2e/nat-grid/main.ts", ...names.filter((name) => name !== "nat-grid")];
    return spawnSync(process.execPath, argv, { stdio: "inherit" }).status ?? 1;
  }
  const env = { ...process.env, BECKET_E2E_ALL: "1" };
  return spawnSync("npx", ["vitest", "run", "--project", "e2e", ...names], { stdio: "inherit", env }).status ?? 1;
}
