import { describe, expect, it } from "vitest";
import { createSteadyTime } from "./clock.ts";

const START = Date.UTC(2026, 0, 1);
const TWO_HOURS_MS = 7_200_000;

function setUp() {
  let wallMs = START;
  const time = createSteadyTime(() => wallMs);
  const pass = (ms: number) => {
    wallMs += ms;
    return time.now() - START;
  };
  return { ...time, pass };
}

describe("time, when the wall clock is set back by two hours", () => {
  it("goes on from where it was, and neither back nor stands still", () => {
    const { pass } = setUp();
    expect(pass(1_000)).toBe(1_000);
    expect(pass(-TWO_HOURS_MS)).toBe(1_000);
    expect([pass(1), pass(999), pass(60_000)]).toEqual([1_001, 2_000, 62_000]);
    expect(pass(-5)).toBe(62_000);
    expect(pass(1_000)).toBe(63_000);
  });

  it("is told to others as the wall clock shows it, what was before included", () => {
    const { now, wall, pass } = setUp();
    const before = now();
    expect([wall(), wall(before)]).toEqual([START, START]);
    pass(10_000);
    pass(-TWO_HOURS_MS);

    expect(wall()).toBe(START + 10_000 - TWO_HOURS_MS);
    expect(wall(now())).toBe(wall());
    expect(wall(before)).toBe(wall() - 10_000);
  });
});

it("time jumps with the wall clock when that is set forward, or when the machine slept", () => {
  const { now, wall, pass } = setUp();
  expect(pass(TWO_HOURS_MS)).toBe(TWO_HOURS_MS);
  expect(wall()).toBe(now());
});
