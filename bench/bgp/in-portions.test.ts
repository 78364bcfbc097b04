import { expect, test } from "vitest";
import { inPortions } from "./in-portions.ts";

test("does so many at a time, and gives the results in order", async () => {
  let running = 0;
  let most = 0;
  const results = await inPortions(2, [3, 1, 2, 5], async (item) => {
    most = Math.max(most, ++running);
    for (let turn = 0; turn < item; turn++) await null;
    running--;
    return item * 10;
  });
  expect({ results, most }).toEqual({ results: [30, 10, 20, 50], most: 2 });
});

test("fails as the first one that fails", async () => {
  await expect(inPortions(2, [1, 2], async (item) => Promise.reject(new Error(`${item}`)))).rejects.toThrow("1");
});
