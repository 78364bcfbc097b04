import { expect, it } from "vitest";
import { planRenewalMs, planRetryMs } from "./retry-delay.ts";

it("the time before a retry doubles up to a minute, and is any part of that", () => {
  expect([0, 1, 2, 5, 6, 20].map((failures) => planRetryMs(failures, 1))).toEqual([
    1_000, 2_000, 4_000, 32_000, 60_000, 60_000,
  ]);
  expect([planRetryMs(3, 0), planRetryMs(3, 0.5)]).toEqual([0, 4_000]);
  expect(planRenewalMs(1)).toBeLessThanOrEqual(500);
});
