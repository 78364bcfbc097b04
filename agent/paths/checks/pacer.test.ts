import { beforeEach, describe, expect, it } from "vitest";
import { createFakeClock, type FakeClock } from "../../testing/fake-clock.ts";
import { PATH_TIMES } from "../core/path-times.ts";
import { createPacer, type Pacer } from "./pacer.ts";

let clock: FakeClock;
let pacer: Pacer;
let sent: string[];
beforeEach(() => {
  clock = createFakeClock();
  pacer = createPacer(clock);
  sent = [];
});

const run = (key: string, what = key) => pacer.run(key, () => sent.push(what));
/** The sendings of one round, to every endpoint. */
async function runRound(endpoints: number, look = (_sendings: number) => {}): Promise<void> {
  let nowMs = 0;
  for (const [index, offsetMs] of PATH_TIMES.roundOffsets.entries()) {
    await clock.advance(offsetMs - nowMs);
    nowMs = offsetMs;
    for (let number = 0; number < endpoints; number++) run(`${number}`);
    look(index + 1);
  }
}

describe("checks", () => {
  it("of ten peers with four endpoints each leave at once, in the whole round", async () => {
    await runRound(40, (sendings) => expect(sent.length).toBe(40 * sendings));
  });

  it("of a large mesh leave one after the other, 200 a second", async () => {
    for (let number = 0; number < 1_000; number++) run(`${number}`);
    expect(sent).toHaveLength(100);
    await clock.advance(1_000);
    expect(sent.length).toBeGreaterThanOrEqual(100 + 196);
    expect(sent.length).toBeLessThanOrEqual(100 + 200);
    await clock.advance(5_000);
    expect(sent).toEqual(Array.from({ length: 1_000 }, (_, number) => `${number}`));
    expect(clock.pending()).toBe(0);
  });

  it("of a round whose first sending still waits are not sent twice", async () => {
    await runRound(1_000);
    await clock.advance(10_000);
    expect(new Set(sent).size).toBe(1_000);
    expect(sent.length).toBeLessThan(1_700);
  });

  it("to the same endpoint are replaced by the newest, which keeps the place", async () => {
    for (let number = 0; number < 100; number++) run(`${number}`);
    run("a", "old");
    run("b");
    run("a", "new");
    await clock.advance(100);
    expect(sent.slice(100)).toEqual(["new", "b"]);
  });

  it("have their room again after a pause", async () => {
    for (let number = 0; number < 100; number++) run(`${number}`);
    await clock.advance(500);
    for (let number = 0; number < 100; number++) run(`${number}`);
    expect(sent).toHaveLength(200);
  });
});
