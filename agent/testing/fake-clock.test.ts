import { describe, expect, it } from "vitest";
import { type Clock, createClock } from "../system/clock.ts";
import { createFakeClock } from "./fake-clock.ts";

const fake = createFakeClock();
const clocks: [string, Clock, (ms: number) => Promise<void>][] = [
  ["the real clock", createClock(), () => Promise.resolve()],
  ["the fake clock", fake, (ms) => fake.advance(ms)],
];

describe.each(clocks)("%s", (_, clock, pass) => {
  it("wakes a sleeper when the time has passed", async () => {
    const before = clock.now();
    const sleeping = clock.sleep(5);
    await pass(5);
    await sleeping;

    // The wall clock counts whole milliseconds.
    expect(clock.now() - before).toBeGreaterThanOrEqual(4);
  });

  it("wakes a sleeper with the signal's reason when it aborts", async () => {
    const controller = new AbortController();
    const sleeping = clock.sleep(60_000, controller.signal);
    controller.abort(new Error("stop"));

    await expect(sleeping).rejects.toThrow("stop");
    await expect(clock.sleep(1, controller.signal)).rejects.toThrow("stop");
  });

  it("fires timers in the order of their times, and none that was cancelled", async () => {
    const fired: string[] = [];
    clock.setTimer(6, () => fired.push("late"));
    clock.setTimer(1, () => fired.push("early"));
    clock.setTimer(2, () => fired.push("cancelled"))();
    const sleeping = clock.sleep(20);
    await pass(20);
    await sleeping;

    expect(fired).toEqual(["early", "late"]);
  });
});
