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

test("tells what is used up without taking", () => {
  const limiter = createRateLimiter({ burst: 1, perSecond: 1 });
  expect([limiter.isUsedUp("a", 0), limiter.isUsedUp("a", 0), limiter.take("a", 0)]).toEqual([false, false, true]);
  expect([limiter.isUsedUp("a", 999), limiter.isUsedUp("a", 1_000)]).toEqual([true, false]);
});

test("remembers a bounded number of keys: the newest", () => {
  const limiter = createRateLimiter({ burst: 1, perSecond: 0, maxKeys: 2 });
  for (const key of ["a", "b", "a", "c"]) limiter.take(key, 0);
  expect(["a", "b", "c"].filter((key) => limiter.isUsedUp(key, 0))).toEqual(["a", "c"]);
});
