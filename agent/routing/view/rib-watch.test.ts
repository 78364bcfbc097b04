import { expect, test } from "vitest";
import { createFakeClock } from "../../testing/fake-clock.ts";
import { createRibWatch } from "./rib-watch.ts";

function setUp() {
  const clock = createFakeClock();
  const told: number[] = [];
  return { clock, told, watch: createRibWatch({ clock, tell: () => told.push(clock.now()) }) };
}

test("a change of routes is told while somebody watches, soon and once", async () => {
  const { clock, told, watch } = setUp();
  watch.extend(30);
  const startedAt = clock.now();
  for (let count = 0; count < 10; count++) watch.changed();
  await clock.advance(10_000);
  expect(told.map((at) => at - startedAt)).toEqual([100]);
});

test("changes without end are told once a second, the last one always", async () => {
  const { clock, told, watch } = setUp();
  watch.extend(30);
  const startedAt = clock.now();
  for (let count = 0; count < 25; count++) {
    watch.changed();
    await clock.advance(100);
  }
  await clock.advance(5_000);
  expect(told.map((at) => at - startedAt)).toEqual([100, 1_100, 2_100, 3_100]);
});

test("nothing is told, and no timer runs, where nobody watches, or nobody does any more", async () => {
  const { clock, told, watch } = setUp();
  watch.changed();
  watch.extend(5);
  await clock.advance(5_000);
  watch.changed();
  watch.extend(5);
  watch.changed();
  watch.stop();
  expect(clock.pending()).toBe(0);
  await clock.advance(5_000);
  expect(told).toEqual([]);
});
