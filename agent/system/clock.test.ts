import { describe, expect, it } from "vitest";
import { createSteadyTime } from "./clock.ts";

const START = Date.UTC(2026, 0, 1);
const TWO_HOURS_MS = 7_200_000;

/** A machine that has been up for a while. */
function setUp() {
  let [wallMs, monotonicMs, bootMs] = [START, 5_000, 9_000];
  let bootReads = 0;
  const time = createSteadyTime({
    wall: () => wallMs,
    monotonic: () => monotonicMs,
    boot: () => {
      bootReads++;
      return bootMs;
    },
  });
  return {
    ...time,
    bootReads: () => bootReads,
    /** @returns the time since the start */
    pass(ms: number) {
      wallMs += ms;
      monotonicMs += ms;
      bootMs += ms;
      return time.now() - START;
    },
    sleep(ms: number) {
      wallMs += ms;
      bootMs += ms;
    },
    setWall(byMs: number) {
      wallMs += byMs;
    },
  };
}

describe.each([TWO_HOURS_MS, -TWO_HOURS_MS])("time, when the wall clock is set by %i ms", (byMs) => {
  it("goes on as if nothing had happened", () => {
    const { pass, setWall } = setUp();
    expect(pass(1_000)).toBe(1_000);
    setWall(byMs);
    expect([pass(0), pass(1), pass(999), pass(60_000)]).toEqual([1_000, 1_001, 2_000, 62_000]);
    setWall(-byMs);
    expect(pass(1_000)).toBe(63_000);
  });

  it("is told to others as the wall clock shows it, what was before included", () => {
    const { now, wall, pass, setWall } = setUp();
    const before = now();
    expect([wall(), wall(before)]).toEqual([START, START]);
    pass(10_000);
    setWall(byMs);

    expect(wall()).toBe(START + 10_000 + byMs);
    expect(wall(now())).toBe(wall());
    expect(wall(before)).toBe(wall() - 10_000);
  });
});

describe("time, when the machine sleeps", () => {
  it("counts the sleep", () => {
    const { now, wall, pass, sleep } = setUp();
    pass(1_000);
    sleep(TWO_HOURS_MS);
    expect(pass(10)).toBe(1_010 + TWO_HOURS_MS);
    expect(wall()).toBe(now());
    sleep(60_000);
    expect(pass(0)).toBe(1_010 + TWO_HOURS_MS + 60_000);
  });

  it("tells it from a clock that is set meanwhile", () => {
    const { wall, pass, sleep, setWall } = setUp();
    sleep(60_000);
    setWall(-TWO_HOURS_MS);
    expect(pass(5)).toBe(60_005);
    expect(wall()).toBe(START + 60_005 - TWO_HOURS_MS);
  });
});

it("time is read from cheap clocks while they agree", () => {
  const { pass, bootReads } = setUp();
  const atFirst = bootReads();
  for (let second = 0; second < 100; second++) pass(1_000);
  expect(bootReads()).toBe(atFirst);
});
