import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { startTimer } from "../../browser/start-timer.ts";
import { createRefresher } from "./create-refresher.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** @param takesMs how long an answer takes */
function createScene(takesMs = 0) {
  const asked: string[] = [];
  const startedAt = Date.now();
  const refresher = createRefresher({
    refresh(id) {
      asked.push(`${id} ${Date.now() - startedAt}`);
      return new Promise<void>((resolve) => void setTimeout(resolve, takesMs));
    },
    now: () => Date.now(),
    startTimer,
  });
  return { ...refresher, asked, pass: (ms: number) => vi.advanceTimersByTimeAsync(ms) };
}

it("the first change is asked for at once", async () => {
  const { mark, asked, pass } = createScene();
  mark("a");
  mark("b");
  mark("a");
  await pass(0);
  expect(asked).toEqual(["a 0", "b 0"]);
});

it("a storm is one question a second, and the last change is never left out", async () => {
  const { mark, asked, pass } = createScene();
  for (let count = 0; count < 25; count++) {
    mark("a");
    await pass(100);
  }
  await pass(10_000);
  expect(asked).toEqual(["a 0", "a 1000", "a 2000", "a 3000"]);
});

it("a change while an answer is under way is asked for afterwards", async () => {
  const { mark, asked, pass } = createScene(300);
  mark("a");
  await pass(200);
  mark("a");
  await pass(5_000);
  expect(asked).toEqual(["a 0", "a 1000"]);
});

it("what takes long is asked half of the time at most, one at a time", async () => {
  const { mark, asked, pass } = createScene(3_000);
  for (let count = 0; count < 12; count++) {
    mark("a");
    await pass(1_000);
  }
  expect(asked).toEqual(["a 0", "a 6000", "a 12000"]);
});
