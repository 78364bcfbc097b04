import { expect, test } from "vitest";
import { createRateLimiter } from "./rate-limiter.ts";

test("lets a burst through, then the steady rate, per key", () => {
  const limiter = createRateLimiter({ burst: 3, perSecond: 2 });
  const take = (key: string, nowMs: number) => limiter.take(key, nowMs);
  expect([take("a", 0), take("a", 0), take("a", 0), take("a", 0)]).toEqual([true, true, true, false]);
  expect(take("b", 0)).toBe(true);
  expect([take("a", 400), take("a", 500), take("a", 500)]).toEqual([false, true, false]);
  expect([take("a", 60_000), take("a", 60_000), take("a", 60_000), take("a", 60_000)]).toEqual([
    true,
    true,
    true,
    false,
  ]);
});
