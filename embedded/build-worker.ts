// Bundles the Worker for Miniflare and reads wrangler.toml, as a program of its own: wrangler takes 0.8 s and 100 MB to import, which
// the control plane spends only when a source changed, and not for as long as it runs.
//
//   node embedded/build-worker.ts FOLDER
import { execFileSync } from "node:child_process";
import { readdirSync, renameSync, statSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { build } from "esbuild";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from "wrangler";
import { WORKER_BUILD_OPTIONS } from "./worker-build-options.ts";
import type { WorkerManifest } from "./worker-bundle.ts";

const repository = path.resolve(import.meta.dirname, "..");
const configPath = path.join(repository, "wrangler.toml");
/** What the static files are made of: see scripts/dashboard/build-dashboard.ts and scripts/installer/build-installer.ts. */
const STATIC_SOURCES = [
  ...["worker/public", "schema"],
  ...["dashboard", "scripts/dashboard"],
  ...["agent", "installer", "scripts/installer"],
];

async function main(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  // Before the options are read: wrangler reads _headers of the assets.
  execFileSync(process.execPath, [path.join(repository, "scripts/build.ts"), "public"], { stdio: "inherit" });
  const config = unstable_readConfig({ config: configPath });
  const result = await build({
    entryPoints: [config.main ?? "worker/index.ts"],
    ...WORKER_BUILD_OPTIONS,
    sourcemap: "inline",
    sourcesContent: false,
    metafile: true,
  });
  const [output] = result.outputFiles;
  if (output === undefined) throw new Error("esbuild wrote nothing");
  const inputs = [
    configPath,
    ...STATIC_SOURCES.flatMap(listFiles),
    path.join(repository, "package-lock.json"),
    ...Object.keys(result.metafile.inputs).map((file) => path.join(repository, file)),
  ];
  const { name = "becket", d1_databases, assets } = config;
  const { modulesRules: _, ...options } = unstable_getMiniflareWorkerOptions(configPath).workerOptions;
  const manifest: WorkerManifest = {
    inputs: Object.fromEntries(inputs.map((file) => [path.relative(repository, file), statSync(file).mtimeMs])),
    migrationsFolder: path.resolve(repository, d1_databases[0]?.migrations_dir ?? "migrations"),
    assetsFolder: path.resolve(repository, assets?.directory ?? "build/public"),
    options: { ...options, name },
  };
  await replaceFile(path.join(folder, "worker.js"), output.text);
  // The manifest goes last: it says that the rest is there.
  await replaceFile(path.join(folder, "manifest.json"), JSON.stringify(manifest));
}

const listFiles = (folder: string): string[] =>
  readdirSync(path.join(repository, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));

/** Several control planes may start at once on one checkout: each file is whole at any time. */
async function replaceFile(file: string, text: string): Promise<void> {
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, text);
  renameSync(draft, file);
}

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: node embedded/build-worker.ts FOLDER");
await main(folder);
