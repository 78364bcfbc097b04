import { describe, expect, test } from "vitest";
import type { StageResult } from "./run-stage.ts";
import { renderSummary, toVerdict } from "./summary.ts";
import { toCounts } from "./vitest-counts.ts";

describe("the counts of a vitest report", () => {
  test("are those of its tests", () => {
    const report = reportOf(["passed", "passed", "failed", "pending", "todo"]);
    expect(toCounts(report, 1)).toEqual({ passed: 2, failed: 1, skipped: 2 });
  });

  test("have one failure for a file that could not be loaded", () => {
    expect(toCounts({ testResults: [{ status: "failed", assertionResults: [] }] }, 1).failed).toBe(1);
  });

  test("have one failure for a run that ends badly though every test passed", () => {
    expect(toCounts(reportOf(["passed"]), 1)).toEqual({ passed: 1, failed: 1, skipped: 0 });
  });
});

describe("the verdict", () => {
  test("is good when everything ran and passed", () => {
    expect(toVerdict([stage({ passed: 3 })], { isCi: true })).toMatchObject({ isGood: true, passed: 3, failed: 0 });
  });

  test("is bad when anything failed", () => {
    expect(toVerdict([stage({ passed: 3, failed: 1 })], { isCi: false }).isGood).toBe(false);
  });

  test("stays good on a developer's machine when a stage was left out, and is bad in CI", () => {
    const results = [stage({ passed: 3 }), stage({ name: "e2e", leftOut: "needs root" })];
    expect(toVerdict(results, { isCi: false })).toMatchObject({ isGood: true, notes: ["left out: e2e (needs root)"] });
    expect(toVerdict(results, { isCi: true }).isGood).toBe(false);
  });

  test("is bad in CI when a test was skipped", () => {
    expect(toVerdict([stage({ passed: 1, skipped: 1 })], { isCi: true }).isGood).toBe(false);
  });
});

test("the summary ends with the counts, and names skipped tests only where there are some", () => {
  const lastLine = (results: StageResult[]) =>
    renderSummary(results, toVerdict(results, { isCi: true }))
      .trimEnd()
      .split("\n")
      .at(-1);
  expect(lastLine([stage({ passed: 3, failed: 1 })])).toBe("3 passed, 1 failed");
  expect(lastLine([stage({ passed: 3 }), stage({ leftOut: "why" })])).toBe("3 passed, 0 failed");
  expect(lastLine([stage({ passed: 3, skipped: 2 })])).toBe("3 passed, 0 failed, 2 skipped");
});

function reportOf(statuses: string[]) {
  return {
    testResults: [
      {
        status: statuses.includes("failed") ? "failed" : "passed",
        assertionResults: statuses.map((status) => ({ status })),
      },
    ],
  };
}

function stage(result: Partial<StageResult>): StageResult {
  return { name: "unit", passed: 0, failed: 0, skipped: 0, leftOut: null, seconds: 1, ...result };
}
