import { expect, it } from "vitest";
import { compareKeys, toNaturalKey } from "./sort-keys.ts";

it("orders names as people count", () => {
  const names = ["web-10", "db", "web-9a", "web", "2-rack", "web-9", "10-rack", "web9", "web-9-b", "web-09"];
  const sorted = names.toSorted((a, b) => compareKeys(toNaturalKey(a), toNaturalKey(b)));
  expect(sorted).toEqual(["2-rack", "10-rack", "db", "web", "web-9", "web-09", "web-9-b", "web-9a", "web-10", "web9"]);
});

it("orders numbers by size, also those without an end", () => {
  const numbers = [10, Number.POSITIVE_INFINITY, -1, 9, Number.POSITIVE_INFINITY];
  expect(numbers.toSorted(compareKeys)).toEqual([-1, 9, 10, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
});
