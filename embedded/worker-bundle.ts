// The bundled Worker and the options that wrangler.toml means for Miniflare, built when a source is newer than the last build.
import { execFile } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";

export interface WorkerManifest {
  /** Each source with its time of change: the build is fresh while they are the same. Paths are relative to the repository. */
  readonly inputs: Readonly<Record<string, number>>;
  readonly migrationsFolder: string;
  readonly assetsFolder: string;
  /** Miniflare's worker options. */
  readonly options: Readonly<Record<string, unknown>>;
}

export interface WorkerBundle extends WorkerManifest {
  readonly script: string;
}

const repository = path.resolve(import.meta.dirname, "..");
const folder = path.join(repository, "build/embedded");
const BUILD_LIMIT_MS = 60_000;

export async function readWorkerBundle(): Promise<WorkerBundle> {
  const manifest = readFreshManifest() ?? (await build());
  return { ...manifest, script: readFileSync(path.join(folder, "worker.js"), "utf8") };
}

/** Null when there is none, or a source changed since. */
function readFreshManifest(): WorkerManifest | null {
  try {
    const manifest = JSON.parse(readFileSync(path.join(folder, "manifest.json"), "utf8")) as WorkerManifest;
    const isFresh = Object.entries(manifest.inputs).every(
      ([file, changedAt]) => statSync(path.join(repository, file)).mtimeMs === changedAt,
    );
    // The assets are other programs' to build and to remove as well.
    return isFresh && existsSync(path.join(manifest.assetsFolder, "index.html")) ? manifest : null;
  } catch {
    // No build yet, or a source went away: either way a new build says more than this error.
    return null;
  }
}

async function build(): Promise<WorkerManifest> {
  // Wrangler would look for updates and send metrics (and wait for both without a network).
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true", NO_UPDATE_NOTIFIER: "1" };
  const program = path.join(import.meta.dirname, "build-worker.ts");
  try {
    await promisify(execFile)(process.execPath, [program, folder], { cwd: repository, env, timeout: BUILD_LIMIT_MS });
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new Error(`the Worker could not be bundled: ${stderr?.trim() || String(error)}`, { cause: error });
  }
  const manifest = readFreshManifest();
  if (manifest === null) throw new Error("the Worker's sources changed while they were bundled; start again");
  return manifest;
}
