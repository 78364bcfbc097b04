import { describe, expect, it } from "vitest";
import { createPathQuality } from "./path-quality.ts";

describe("the quality of a path", () => {
  it("is unknown until something was measured", () => {
    const quality = createPathQuality();
    expect([quality.latencyMs(), quality.lossRatio(0)]).toEqual([null, null]);
    quality.sent(0);
    expect(quality.lossRatio(900)).toBeNull();
  });

  it("has the first round-trip time, then moves towards each that follows", () => {
    const quality = createPathQuality();
    quality.sent(0);
    quality.answered(20, 20);
    expect(quality.latencyMs()).toBe(20);
    quality.sent(1_000);
    quality.answered(40, 1_040);
    expect(quality.latencyMs()).toBe(25);
  });

  it("counts a check as lost when its answer did not come within a second", () => {
    const quality = createPathQuality();
    for (const at of [0, 1_000, 2_000, 3_000]) quality.sent(at);
    quality.answered(30, 30);
    quality.answered(30, 2_030);
    expect(quality.lossRatio(4_500)).toBe(0.5);
  });

  it("takes an answer for one of the checks under way, and for none that is lost", () => {
    const quality = createPathQuality();
    for (const at of [0, 1_000, 1_100]) quality.sent(at);
    quality.answered(10, 1_110);
    expect(quality.lossRatio(5_000)).toBeCloseTo(2 / 3);
    quality.answered(10, 1_120);
    expect(quality.lossRatio(5_000)).toBeCloseTo(1 / 3);
    quality.answered(10, 1_130);
    expect(quality.lossRatio(5_000)).toBeCloseTo(1 / 3);
  });

  it("is of the newest twenty checks: what was lost before counts no more", () => {
    const quality = createPathQuality();
    for (let at = 0; at < 20_000; at += 1_000) quality.sent(at);
    expect(quality.lossRatio(30_000)).toBe(1);
    for (let at = 20_000; at < 40_000; at += 1_000) {
      quality.sent(at);
      quality.answered(10, at + 10);
    }
    expect(quality.lossRatio(50_000)).toBe(0);
  });

  it("says nothing of another path", () => {
    const quality = createPathQuality();
    quality.sent(0);
    quality.answered(10, 10);
    quality.reset();
    expect([quality.latencyMs(), quality.lossRatio(5_000)]).toEqual([null, null]);
  });
});
