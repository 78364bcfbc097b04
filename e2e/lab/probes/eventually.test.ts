import { expect, test } from "vitest";
import { eventually } from "./eventually.ts";

test("resolves with the first value that is there", async () => {
  const values = [undefined, false, null, 7];
  expect(await eventually(() => values.shift(), { withinMs: 1_000, everyMs: 1, describe: "it came" })).toBe(7);
});

test("takes zero and the empty text for values", async () => {
  expect(await eventually(() => 0, { withinMs: 0, describe: "it came" })).toBe(0);
});

test("looks again after a check that threw, and tells the last reason when the time is over", async () => {
  const check = () => {
    throw new Error("2 of 3 peers are up");
  };
  await expect(eventually(check, { withinMs: 5, everyMs: 1, describe: "all peers are up" })).rejects.toThrow(
    "within 5 ms it never came true that all peers are up; last: Error: 2 of 3 peers are up",
  );
});

test("stops when aborted", async () => {
  const signal = AbortSignal.abort(new Error("enough"));
  await expect(eventually(() => false, { withinMs: 1_000, describe: "it came", signal })).rejects.toThrow("enough");
});
