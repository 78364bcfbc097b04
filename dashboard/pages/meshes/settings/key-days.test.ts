import { expect, test } from "vitest";
import { parseKeyDays, renderKeyDays } from "./key-days.ts";

test("how old keys get is a number of days, or nothing for never", () => {
  expect(["", "  ", "1", " 90 ", "365"].map(parseKeyDays)).toEqual([null, null, 1, 90, 365]);
  expect(["0", "366", "1.5", "-1", "ninety", "1e2"].map(parseKeyDays)).toEqual(Array(6).fill(undefined));
  for (const days of [null, 1, 365]) expect(parseKeyDays(renderKeyDays(days))).toBe(days);
});
