import { expect, test } from "vitest";
import { createFrameRate, type FrameVerdict } from "./frame-rate.ts";

/** What becomes of this many frames in one second, evenly spread. */
function countVerdicts(perSecond: number, judge = createFrameRate(), startMs = 0) {
  const counts: Record<FrameVerdict, number> = { pass: 0, drop: 0, close: 0 };
  for (let index = 0; index < perSecond; index++) counts[judge("one", startMs + (index * 1_000) / perSecond)]++;
  return counts;
}

test("what a fast link carries passes, for as long as it lasts", () => {
  const judge = createFrameRate();
  for (let second = 0; second < 60; second++) {
    expect(countVerdicts(4_000, judge, second * 1_000)).toEqual({ pass: 4_000, drop: 0, close: 0 });
  }
});

test("what is beyond it is dropped, and what comes when that is over passes", () => {
  const judge = createFrameRate();
  const { drop, close } = countVerdicts(20_000, judge);
  expect([drop > 5_000, close]).toEqual([true, 0]);
  expect(countVerdicts(3_000, judge, 1_500)).toEqual({ pass: 3_000, drop: 0, close: 0 });
});

test("who sends ten times as much is closed", () => {
  const { pass, close } = countVerdicts(40_000);
  expect(pass).toBeLessThan(12_100);
  expect(close).toBeGreaterThan(0);
});

test("each side has its own", () => {
  const judge = createFrameRate();
  countVerdicts(40_000, judge);
  expect(judge("other", 1_000)).toBe("pass");
});
