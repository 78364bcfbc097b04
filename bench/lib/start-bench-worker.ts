// A Worker of a benchmark in workerd, with the database's migrations applied and its state in a folder that goes with it.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { unstable_readConfig } from "wrangler";
import { applyMigrations } from "../../embedded/apply-migrations.ts";
import { WORKER_BUILD_OPTIONS } from "../../embedded/worker-build-options.ts";

const repository = path.resolve(import.meta.dirname, "../..");

export interface BenchWorkerOptions {
  /** Its main module, from the repository's root. */
  readonly entry: string;
  /** Its classes of objects by binding. */
  readonly objects: Readonly<Record<string, string>>;
  readonly bindings?: Readonly<Record<string, string>>;
}

export interface BenchWorker {
  readonly workerd: Miniflare;
  stop(): Promise<void>;
}

export async function startBenchWorker({ entry, objects, bindings = {} }: BenchWorkerOptions): Promise<BenchWorker> {
  const stateFolder = await mkdtemp(path.join(tmpdir(), "becket-bench-"));
  const { compatibility_date: compatibilityDate = "" } = unstable_readConfig({
    config: path.join(repository, "wrangler.toml"),
  });
  const bundle = await build({ ...WORKER_BUILD_OPTIONS, entryPoints: [path.join(repository, entry)] });
  const workerd = new Miniflare(
    convertV4MiniflareOptions({
      name: "bench",
      modules: [{ type: "ESModule", path: "bench.js", contents: bundle.outputFiles[0]?.text ?? "" }],
      compatibilityDate,
      durableObjects: Object.fromEntries(
        Object.entries(objects).map(([name, className]) => [name, { className, useSQLite: true }]),
      ),
      d1Databases: { DB: "becket" },
      bindings: { ...bindings },
      resourcePersistencePath: stateFolder,
      cf: false,
      log: new Log(LogLevel.WARN),
    }),
  );
  await workerd.ready;
  await applyMigrations(await workerd.getD1Database("DB"), path.join(repository, "migrations"));
  return {
    workerd,
    async stop() {
      await workerd.dispose();
      await rm(stateFolder, { recursive: true, force: true });
    },
  };
}
