// Builds the dashboard into the folder of static files. Several control planes may start at once on one checkout, so it is built beside
// and moved there file by file: what pages name first, the page last.
import { cpSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { dashboardConfig } from "./vite-config.ts";

const repository = path.resolve(import.meta.dirname, "../..");
/** Folders and files that the build is made of. */
export const DASHBOARD_SOURCES = ["dashboard", "schema", "scripts/dashboard", "package-lock.json"];

/** @returns false when nothing changed since the last build there */
export async function buildDashboard(folder: string): Promise<boolean> {
  const page = path.join(folder, "index.html");
  if (isFresh(page)) return false;
  // Imported late: who finds a fresh build does not wait for Vite.
  const { build } = await import("vite");
  const draft = path.join(repository, `build/dashboard.${process.pid}`);
  const { NODE_ENV } = process.env;
  // What is delivered is React for production, whatever is set where it is built (vitest sets "test").
  process.env.NODE_ENV = "production";
  try {
    await build({
      ...dashboardConfig,
      logLevel: "warn",
      build: { ...dashboardConfig.build, outDir: draft, emptyOutDir: true },
    });
    publish(draft, folder);
  } finally {
    if (NODE_ENV === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = NODE_ENV;
    rmSync(draft, { recursive: true, force: true });
  }
  return true;
}

function publish(draft: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  const files = listFiles(draft).filter((file) => file !== "index.html");
  for (const file of [...files, "index.html"]) moveFile(path.join(draft, file), path.join(folder, file));
  const assets = path.join(folder, "assets");
  for (const file of listFiles(assets)) {
    if (!files.includes(path.join("assets", file))) rmSync(path.join(assets, file), { force: true });
  }
}

function moveFile(source: string, target: string): void {
  mkdirSync(path.dirname(target), { recursive: true });
  const draft = `${target}.${process.pid}`;
  cpSync(source, draft);
  renameSync(draft, target);
}

function isFresh(page: string): boolean {
  const builtAt = statSync(page, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return listDashboardSources().every((file) => statSync(file).mtimeMs <= builtAt);
}

export const listDashboardSources = (): string[] =>
  DASHBOARD_SOURCES.map((source) => path.join(repository, source)).flatMap((source) =>
    statSync(source).isDirectory() ? listFiles(source).map((file) => path.join(source, file)) : [source],
  );

const listFiles = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
