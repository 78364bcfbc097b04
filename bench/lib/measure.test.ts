import { expect, test } from "vitest";
import { median } from "./measure.ts";

test("the median is the middle value, whatever the order", () => {
  expect(median([9, 1, 5])).toBe(5);
});

test("of an even count it is the mean of the two in the middle", () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
});

test("of nothing it is zero", () => {
  expect(median([])).toBe(0);
});
