import { expect, test } from "vitest";
import { ID_PREFIXES, RolloutId, renderUlid } from "#schema/ids";
import { OLD_AGENT } from "../../testing/rollout-machine.ts";
import { judgeDue, judgeHello, judgeTurn } from "./judge-order.ts";

const sha256 = "b".repeat(64);
const rolloutId = RolloutId.parse(ID_PREFIXES.rollout + renderUlid(1, new Uint8Array(16)));

test.each([
  ["ready", OLD_AGENT, true],
  ["away", OLD_AGENT, false],
  ["away", { ...OLD_AGENT, allowsUpgrades: false }, false],
  ["done", { ...OLD_AGENT, buildSha256: sha256 }, false],
  ["skipped", { ...OLD_AGENT, allowsUpgrades: false }, true],
  ["skipped", { ...OLD_AGENT, allowsUpgrades: undefined }, true],
] as const)("a turn is %s", (code, agent, isListening) => {
  expect(judgeTurn({ agent, isListening }, sha256).code).toBe(code);
});

test("an alarm ends an order whose time is over, and finishes a claim that was interrupted", () => {
  const order = { rolloutId, sha256, state: "ordered" as const, dueAt: 1_000 };
  expect([judgeDue(order, 999), judgeDue(order, 1_000)]).toEqual(["wait", "failed"]);
  expect(judgeDue({ ...order, state: "done" }, 1_000)).toBe("over");
  expect(judgeDue({ ...order, state: "claiming" }, 0)).toBe("claim");
});

test.each([
  ["none", null, sha256, 0],
  ["kept", "claiming", sha256, 0],
  ["done", "ordered", sha256, 0],
  ["kept", "ordered", OLD_AGENT.buildSha256, 0],
  ["none", "done", sha256, 999],
  ["failed", "done", OLD_AGENT.buildSha256, 999],
  ["none", "done", OLD_AGENT.buildSha256, 1_000],
] as const)("a hello means %s with an order that is %s", (verdict, state, buildSha256, nowMs) => {
  const order = state === null ? null : { rolloutId, sha256, state, dueAt: 1_000 };
  expect(judgeHello(order, { buildSha256 }, nowMs)).toBe(verdict);
});
