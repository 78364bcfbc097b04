// How a Worker is bundled for workerd, by esbuild. In one place: what is measured is built as what runs.
import path from "node:path";
import type { BuildOptions } from "esbuild";

export const WORKER_BUILD_OPTIONS = {
  absWorkingDir: path.resolve(import.meta.dirname, ".."),
  bundle: true,
  format: "esm",
  platform: "neutral",
  mainFields: ["module", "main"],
  conditions: ["workerd", "worker", "browser"],
  target: "es2024",
  external: ["cloudflare:*", "node:*"],
  loader: { ".sql": "text" },
  keepNames: true,
  write: false,
  logLevel: "error",
} as const satisfies BuildOptions;
