import { expect, it } from "vitest";
import type { Machine } from "#schema/machine";
import type { RolloutMachine } from "#schema/rollout";
import { describeProgress, isMoving, listNames, planUpgrade, sortMachines, toMachineWords } from "./rollout-model.ts";

const machine = (name: string, upToDate: boolean | null, allowsUpgrades?: boolean) =>
  ({ name, upToDate, agent: { agentVersion: "0.1.0", allowsUpgrades } }) as Machine;

it("takes machines with an older agent that allow it, and says of the others why not", () => {
  const plan = planUpgrade([
    machine("ready", false, true),
    machine("current", true, true),
    machine("unknown", null),
    machine("unwilling", false, false),
    machine("old", false),
  ]);
  expect([plan.ready, plan.unwilling, plan.tooOld].map(listNamesOf)).toEqual(["ready", "unwilling", "old"]);
});
const listNamesOf = (machines: readonly Machine[]) => listNames(machines);

it("names a few machines, and counts the others", () => {
  const named = ["a", "b", "c"].map((name) => ({ name }));
  expect([listNames(named.slice(0, 1)), listNames(named), listNames(named, 2)]).toEqual([
    "a",
    "a, b and c",
    "a, b and 1 more",
  ]);
});

it("moves as long as it is open, or machines that were ordered are under way", () => {
  const counts = { waiting: 0, ordered: 0, done: 1, failed: 0, skipped: 0 };
  expect(isMoving({ state: "running", counts })).toBe(true);
  expect(isMoving({ state: "cancelled", counts: { ...counts, ordered: 1 } })).toBe(true);
  expect([isMoving({ state: "done", counts }), isMoving({ state: "cancelled", counts })]).toEqual([false, false]);
});

it("tells how far it is, and leaves out what there is none of", () => {
  const counts = { waiting: 1, ordered: 1, done: 2, failed: 0, skipped: 0 };
  expect(describeProgress({ counts })).toBe("2 of 4 machines done");
  expect(describeProgress({ counts: { ...counts, failed: 1, skipped: 3 } })).toBe(
    "2 of 5 machines done, 1 failed, 3 skipped",
  );
  expect(describeProgress({ counts: { waiting: 0, ordered: 0, done: 0, failed: 0, skipped: 2 } })).toBe(
    "no machine has a part in it, 2 skipped",
  );
});

it("shows failures first, and who is missed as such", () => {
  const rows = (["done", "waiting", "failed", "ordered"] as const).map(
    (state) => ({ name: state, state }) as RolloutMachine,
  );
  expect(sortMachines(rows).map(({ state }) => state)).toEqual(["failed", "ordered", "waiting", "done"]);
  expect(toMachineWords({ state: "waiting", away: true }).label).toBe("not connected");
});
