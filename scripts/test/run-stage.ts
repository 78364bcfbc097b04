// Runs one stage and counts what it did. Its own output goes straight to the terminal.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Stage } from "./stages.ts";
import { type Counts, readVitestCounts } from "./vitest-counts.ts";

export interface StageResult extends Counts {
  readonly name: string;
  /** Why the stage did not run; null when it did. */
  readonly leftOut: string | null;
  readonly seconds: number;
}

export async function runStage(stage: Stage, { isRoot }: { isRoot: boolean }): Promise<StageResult> {
  process.stdout.write(`\n── ${stage.name}: ${stage.heading}\n`);
  if (stage.needsRoot !== undefined && !isRoot) {
    process.stdout.write(`left out: ${stage.needsRoot}\n`);
    return { name: stage.name, passed: 0, failed: 0, skipped: 0, leftOut: stage.needsRoot, seconds: 0 };
  }
  const started = performance.now();
  const counts = stage.kind === "vitest" ? await runVitest(stage.argv) : await runCommand(stage.argv);
  return { name: stage.name, ...counts, leftOut: null, seconds: (performance.now() - started) / 1_000 };
}

async function runCommand(argv: readonly string[]): Promise<Counts> {
  const isGood = (await runVisibly(argv)) === 0;
  return { passed: isGood ? 1 : 0, failed: isGood ? 0 : 1, skipped: 0 };
}

async function runVitest(argv: readonly string[]): Promise<Counts> {
  const folder = mkdtempSync(path.join(tmpdir(), "becket-test-"));
  try {
    const report = path.join(folder, "report.json");
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    const exitCode = await runVisibly([...argv, ...reporters]);
    return readVitestCounts(report, exitCode);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The exit code; 1 when it can't be started or is ended by a signal. */
async function runVisibly([file = "", ...args]: readonly string[]): Promise<number> {
  const child = spawn(file, args, {
    cwd: path.resolve(import.meta.dirname, "../.."),
    stdio: ["ignore", "inherit", "inherit"],
  });
  try {
    const [code] = (await once(child, "exit")) as [number | null];
    return code ?? 1;
  } catch (error) {
    process.stderr.write(`${file}: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}
