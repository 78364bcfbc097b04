// Counts from the report of vitest's JSON reporter.
import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const Report = z.object({
  testResults: z.array(
    z.object({
      status: z.string(),
      assertionResults: z.array(z.object({ status: z.string() })),
    }),
  ),
});

/** A run without a report has crashed: one failure. */
export function readVitestCounts(file: string, exitCode: number): Counts {
  if (!existsSync(file)) return { passed: 0, failed: 1, skipped: 0 };
  return toCounts(JSON.parse(readFileSync(file, "utf8")), exitCode);
}

/**
 * A file that fails without a failed test (it can't be loaded, a hook threw) is one failure; so is a run that ends badly
 * though all its tests passed (an unhandled rejection, no tests at all).
 */
export function toCounts(report: unknown, exitCode: number): Counts {
  const files = Report.parse(report).testResults;
  const statuses = files.flatMap((file) => file.assertionResults.map((test) => test.status));
  const count = (status: string) => statuses.filter((candidate) => candidate === status).length;
  const brokenFiles = files.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  ).length;
  const passed = count("passed");
  const failed = count("failed");
  const skipped = statuses.length - passed - failed;
  const isUnexplained = exitCode !== 0 && failed + brokenFiles === 0;
  return { passed, failed: failed + brokenFiles + (isUnexplained ? 1 : 0), skipped };
}
