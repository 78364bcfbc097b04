import { expect, test } from "vitest";
import { untilAll, type Watch } from "./converge.ts";
import { range } from "./mesh-of-birds.ts";

/** Each has it from this time on. Looking takes no time, pauses do. */
function watch(thereFromMs: readonly number[], changes: Partial<Watch> = {}) {
  let nowMs = 0;
  const looks: number[] = thereFromMs.map(() => 0);
  const all: Watch = {
    members: range(thereFromMs.length),
    async isThere(member) {
      looks[member - 1] = (looks[member - 1] ?? 0) + 1;
      return nowMs >= (thereFromMs[member - 1] ?? 0);
    },
    throwIfOver: async () => undefined,
    pauseMs: 10,
    now: () => nowMs,
    async sleep(ms) {
      nowMs += ms;
    },
    ...changes,
  };
  return { all, looks };
}

test("resolves with the time when the last one has it", async () => {
  expect(await untilAll(watch([0, 35, 10]).all)).toBe(40);
});

test("looks at no more than a few while these lack it, and twice at who has it", async () => {
  const { all, looks } = watch([100, 100, 100, 100, 100, 0, 0, 0]);
  await untilAll(all);
  expect(looks.slice(5)).toEqual([2, 2, 2]);
});

test("goes on when one has lost it again at the end", async () => {
  const seen: boolean[] = [true, false, false, true, true];
  const { all } = watch([0], { isThere: async () => seen.shift() ?? true });
  expect(await untilAll(all)).toBe(10);
  expect(seen).toEqual([]);
});

test("ends when waiting is over, and tells how many are left", async () => {
  const { all } = watch([0, 1_000], {
    throwIfOver: async (left) => {
      if (left < 2) throw new Error(`${left} left`);
    },
  });
  await expect(untilAll(all)).rejects.toThrow("1 left");
});
