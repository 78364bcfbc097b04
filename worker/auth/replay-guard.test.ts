import { expect, test } from "vitest";
import { createReplayGuard } from "./replay-guard.ts";

const START = 1_800_000_000_000;
const token = (tokenId: string, secondsAfterStart: number) => {
  const issuedAt = START / 1_000 + secondsAfterStart;
  return { tokenId, issuedAt, expiresAt: issuedAt + 60 };
};

test("lets a token through once", () => {
  const guard = createReplayGuard(START);
  expect(guard.check(token("a", 1), START + 1_000)).toBeNull();
  expect(guard.check(token("a", 1), START + 1_000)).toBe("machine_token_replayed");
  expect(guard.check(token("b", 1), START + 1_000)).toBeNull();
});

test("remembers a token for as long as anybody accepts it", () => {
  const guard = createReplayGuard(START);
  guard.check(token("a", 0), START);
  for (let second = 1; second <= 119; second++) {
    expect(guard.check(token(`t${second}`, second), START + second * 1_000)).toBeNull();
  }
  expect(guard.check(token("a", 0), START + 119_000)).toBe("machine_token_replayed");
});

test("refuses a token that it may have forgotten, used or not", () => {
  const guard = createReplayGuard(START);
  guard.check(token("a", 0), START);
  expect(guard.check(token("a", 0), START + 120_000)).toBe("machine_token_stale");
  expect(guard.check(token("b", 0), START + 120_000)).toBe("machine_token_stale");
  expect(guard.check(token("c", 1), START + 120_000)).toBeNull();
});

test("refuses tokens that are more than 5 s older than the memory", () => {
  const guard = createReplayGuard(START);
  expect(guard.check(token("a", -5), START)).toBeNull();
  expect(guard.check(token("b", -6), START)).toBe("machine_token_stale");
  expect(guard.check(token("c", -6), START + 30_000)).toBe("machine_token_stale");
});
