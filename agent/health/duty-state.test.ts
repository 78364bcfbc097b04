import { describe, expect, it } from "vitest";
import { beginDuty, type DutyState, isAnnounced, refuseDuty, takeResult } from "./duty-state.ts";

const thresholds = { healthyThreshold: 2, unhealthyThreshold: 3 };
const check = {
  type: "tcp",
  target: ":1",
  intervalSeconds: 5,
  timeoutSeconds: 3,
  holdoffSeconds: 0,
  ...thresholds,
} as const;
const begin = (wasAnnounced = false) => beginDuty({ check, wasAnnounced, nowMs: 0 });

/** `+` passes, `-` fails; one a second. */
function follow(state: DutyState, results: string): DutyState {
  return [...results].reduce(
    (before, result, index) =>
      takeResult(
        before,
        { atMs: index * 1_000, durationMs: 10, isSuccess: result === "+", text: `result ${index}` },
        thresholds,
      ),
    state,
  );
}

describe("a duty", () => {
  it.each([
    ["", "pending"],
    ["+", "pending"],
    ["+-+", "pending"],
    ["++", "healthy"],
    ["--", "pending"],
    ["---", "unhealthy"],
    ["---+", "unhealthy"],
    ["---+-+", "unhealthy"],
    ["---++", "healthy"],
    ["++--", "healthy"],
    ["++--+--", "healthy"],
    ["++---", "unhealthy"],
  ])("that was checked with %j is %s", (results, status) => {
    expect(follow(begin(), results).status).toBe(status);
    expect(isAnnounced(follow(begin(), results))).toBe(status === "healthy");
  });

  it("without a check is announced at once", () => {
    const state = beginDuty({ check: null, wasAnnounced: false, nowMs: 5 });
    expect(state).toMatchObject({ status: "unchecked", sinceMs: 5, reason: null });
    expect(isAnnounced(state)).toBe(true);
  });

  it("that was announced before stays so until its check failed often enough", () => {
    expect(isAnnounced(begin(true))).toBe(true);
    expect(isAnnounced(follow(begin(true), "--"))).toBe(true);
    expect(isAnnounced(follow(begin(true), "---"))).toBe(false);
  });

  it("tells why it is not announced", () => {
    expect(begin().reason).toBe("it was not checked yet");
    expect(follow(begin(), "-").reason).toBe("failed 1 time in a row: result 0");
    expect(follow(begin(), "---").reason).toBe("failed 3 times in a row: result 2");
    expect(follow(begin(), "---+").reason).toBe("passed 1 of 2 times");
    expect(follow(begin(), "++-").reason).toBe(null);
    expect(refuseDuty("not here", 0)).toMatchObject({ status: "unhealthy", reason: "not here" });
  });

  it("keeps the newest results, its counts, and since when it is what it is", () => {
    const state = follow(begin(), "++-++++");
    expect(state).toMatchObject({ successes: 4, failures: 0, sinceMs: 1_010 });
    expect(state.results.map(({ text }) => text)).toEqual([6, 5, 4, 3, 2].map((index) => `result ${index}`));
  });
});
