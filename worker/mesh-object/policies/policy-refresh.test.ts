import { expect, it } from "vitest";
import { NO_POLICIES } from "#schema/policy";
import { createMeshId } from "../../testing/fake-agent.ts";
import { createPolicyRefresh } from "./policy-refresh.ts";

const NOTHING = { mesh: NO_POLICIES, machines: new Map() };

function setUp() {
  const meshId = createMeshId();
  const state = { nowMs: 0, since: null as number | null, alarms: [] as number[], reads: 0, applied: 0, fails: false };
  const held: (() => void)[] = [];
  const refresh = createPolicyRefresh({
    policies: {
      readExpectedSince: () => state.since,
      writeExpectedSince: (atMs) => {
        state.since = atMs;
      },
    },
    readMeshId: () => meshId,
    async readPolicies() {
      state.reads += 1;
      await new Promise<void>((resolve) => held.push(resolve));
      if (state.fails) throw new Error("D1_ERROR: overloaded");
      return NOTHING;
    },
    apply: () => {
      state.applied += 1;
    },
    scheduleBy: (atMs) => state.alarms.push(atMs),
    now: () => state.nowMs,
    log: { debug() {}, info() {}, warn() {}, error() {} },
  });
  const answer = async (work: Promise<void>) => {
    let isDone = false;
    void work.then(() => {
      isDone = true;
    });
    while (!isDone) {
      held.shift()?.();
      await Promise.resolve();
    }
  };
  return { state, refresh, answer };
}

it("looks more and more seldom after a change was announced, then no more", async () => {
  const { state, refresh, answer } = setUp();
  refresh.expect();
  const looks: number[] = [];
  for (let atMs = state.alarms.shift(); atMs !== undefined; atMs = state.alarms.shift()) {
    state.nowMs = atMs;
    looks.push(atMs / 1_000);
    await answer(refresh.look());
  }
  expect(looks).toEqual([15, 30, 60, 120, 240]);
});

it("tries again when D1 fails, and does not say that it failed", async () => {
  const { state, refresh, answer } = setUp();
  state.fails = true;
  await answer(refresh.refresh());
  await answer(refresh.refresh());
  expect(state).toMatchObject({ applied: 0, alarms: [15_000, 30_000] });
  state.fails = false;
  await answer(refresh.look());
  expect(state).toMatchObject({ applied: 1, alarms: [15_000, 30_000] });
});

it("reads once more for all that ask while it reads", async () => {
  const { state, refresh, answer } = setUp();
  const first = refresh.refresh();
  const others = [refresh.refresh(), refresh.refresh(), refresh.refresh()];
  expect(state.reads).toBe(1);
  await answer(Promise.all([first, ...others]).then(() => undefined));
  expect(state.reads).toBe(2);
});
