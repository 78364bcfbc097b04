// npm run e2e [-- NAME …]: the end-to-end scenarios, all or those whose file name contains a NAME.
import { spawnSync } from "node:child_process";
import { LONG_SCENARIOS } from "./long-scenarios.ts";

/** Scenarios that also measure. */
const PROGRAMS = ["nat-grid", "faults"];

const HELP = `Usage: npm run e2e [-- NAME …]
       npm run -s e2e -- nat-grid --json
       npm run -s e2e -- faults --json [--seconds N] [--only NAME,NAME] [--seed N]

Builds the agent and runs the end-to-end scenarios in the lab: all, or those whose file name contains a NAME. Needs root.

nat-grid --json measures every kind of network against every other, easy to easy and easy to hard twenty times more, and prints one JSON
object on the last line. Table and numbers are also in e2e/results/.

faults --json breaks one thing after the other for N seconds each (60), then some together, while all machines talk and somebody changes the
mesh, and does the same: what was lost, and how long everything took to be well again.

Left out of \`npm test\`:
${Object.entries(LONG_SCENARIOS)
  .map(([name, why]) => `  ${name.padEnd(28)}${why}`)
  .join("\n")}`;

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
  const program = PROGRAMS.find((name) => names.includes(name));
  if (program !== undefined && names.includes("--json")) {
    const argv = [`e2e/${program}/main.ts`, ...names.filter((name) => name !== program)];
    return spawnSync(process.execPath, argv, { stdio: "inherit" }).status ?? 1;
  }
  if (names.length === 0 || names.some((name) => "proxies".includes(name))) {
    spawnSync(process.execPath, ["scripts/bootstrap/install-tls-proxies.mjs"], { stdio: "inherit" });
  }
  const env = { ...process.env, BECKET_E2E_ALL: "1" };
  return spawnSync("npx", ["vitest", "run", "--project", "e2e", ...names], { stdio: "inherit", env }).status ?? 1;
}
