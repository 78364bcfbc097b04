// Builds what is delivered, into build/. Needs no network.
//
//   node scripts/build.ts [agent] [public] [worker]      all of them when none is named
import { execFile } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { promisify } from "node:util";
import { bundleAgent } from "./agent-bundle.ts";
import { buildDashboard } from "./dashboard/build-dashboard.ts";
import { buildInstaller } from "./installer/build-installer.ts";

const repository = path.resolve(import.meta.dirname, "..");
const TARGETS = { agent: buildAgent, public: buildPublic, worker: buildWorker } as const;
type Target = keyof typeof TARGETS;

const isTarget = (name: string): name is Target => Object.hasOwn(TARGETS, name);
const names = process.argv.slice(2);
if (names.includes("--help")) {
  console.log(
    "Usage: npm run build [-- agent] [public] [worker]\n\nBuilds what is delivered, into build/: all, or what is named.",
  );
  process.exit(0);
}
const unknown = names.find((name) => !isTarget(name));
if (unknown !== undefined) {
  console.error(`there is no "${unknown}" to build; there is ${Object.keys(TARGETS).join(", ")}`);
  process.exit(2);
}
const targets = names.length > 0 ? names.filter(isTarget) : (Object.keys(TARGETS) as Target[]);
// The Worker's bundle takes its assets along, so they come first.
if (targets.includes("public")) await buildPublic();
await Promise.all(targets.filter((name) => name !== "public").map((name) => TARGETS[name]()));

async function buildAgent(): Promise<void> {
  const outfile = path.join(repository, "build/agent/becket.mjs");
  // Renamed when whole: whoever starts the agent meanwhile gets the old bundle or the new one.
  const draft = `${outfile}.${process.pid}`;
  const agent = await bundleAgent();
  mkdirSync(path.dirname(outfile), { recursive: true });
  writeFileSync(draft, agent, { mode: 0o755, encoding: "latin1" });
  renameSync(draft, outfile);
}

/** Static files: the dashboard, the agent with its installer, and Swagger UI for the API reference. */
async function buildPublic(): Promise<void> {
  const folder = path.join(repository, "build/public");
  const reference = path.join(folder, "reference");
  mkdirSync(reference, { recursive: true });
  cpSync(path.join(repository, "worker/public"), folder, { recursive: true });
  const swaggerUi = path.dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
  for (const file of ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png", "LICENSE", "NOTICE"]) {
    const source = path.join(swaggerUi, file);
    if (existsSync(source)) copyFileSync(source, path.join(reference, file));
  }
  await Promise.all([buildInstaller(folder), buildDashboard(folder)]);
}

/** As `wrangler deploy` would upload it. The variables keep wrangler from asking the network, which it would wait for. */
async function buildWorker(): Promise<void> {
  const argv = ["deploy", "--dry-run", "--outdir", path.join(repository, "build/worker")];
  const env = {
    ...process.env,
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_HIDE_BANNER: "true",
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
  };
  await promisify(execFile)(path.join(repository, "node_modules/.bin/wrangler"), argv, { cwd: repository, env });
}
