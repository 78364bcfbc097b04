import { expect, test } from "vitest";
import { planBroadcastDelay } from "./broadcast.ts";

test("the first change after a quiet time waits 10 ms, however large the mesh is", () => {
  expect(planBroadcastDelay({ nowMs: 10_000, lastAtMs: 9_000, listenerCount: 1_000 })).toBe(10);
  expect(planBroadcastDelay({ nowMs: 0, lastAtMs: Number.NEGATIVE_INFINITY, listenerCount: 0 })).toBe(10);
});

test("while changes keep coming, more listeners wait longer", () => {
  expect(planBroadcastDelay({ nowMs: 10_000, lastAtMs: 9_900, listenerCount: 10 })).toBe(10);
  expect(planBroadcastDelay({ nowMs: 10_000, lastAtMs: 9_900, listenerCount: 1_000 })).toBe(25);
});
