// Roll-outs as the tests start and read them.
import { expect } from "vitest";
import { cancelRollout, getRollout, listRolloutMachines, listRollouts, startRollout } from "#schema/api/rollouts";
import type { TestApp } from "./create-test-app.ts";
import { eventually } from "./eventually.ts";
import { enrolRolloutMachine, type RolloutMachine } from "./rollout-machine.ts";

export function createRolloutRunner(app: TestApp) {
  const enrolMany = (count: number) => Promise.all(Array.from({ length: count }, () => enrolRolloutMachine(app)));

  /** @param by starts it, where another app than the one that reads it is to */
  async function start(machines: readonly RolloutMachine[], body: { atOnce?: number } = {}, by: TestApp = app) {
    const machineIds = machines.map(({ machineId }) => machineId);
    const { reply } = await by.call(startRollout, { body: { machineIds, ...body }, as: "admin" });
    const params = { rolloutId: reply.id };
    const read = async () => (await app.call(getRollout, { params, as: "viewer" })).reply;
    const rows = async () => {
      const { items } = (await app.call(listRolloutMachines, { params, as: "viewer" })).reply;
      return machineIds.map((id) => items.find(({ machineId }) => machineId === id));
    };
    const states = async () => (await rows()).map((row) => row?.state);
    const untilStates = (...expected: string[]) => eventually(async () => expect(await states()).toEqual(expected));
    return { params, reply, read, rows, states, untilStates };
  }

  return {
    enrolMany,
    start,
    /** Connected machines, in the order of their turns, and a roll-out of them. */
    async startWith(count: number, body: { atOnce?: number } = {}) {
      const machines = sorted(await enrolMany(count));
      for (const machine of machines) await machine.hello();
      return { machines, ...(await start(machines, body)) };
    },
    async cancelOpen(): Promise<void> {
      const { items } = (await app.call(listRollouts, {})).reply;
      for (const { id, endedAt } of items)
        if (endedAt === null) await app.call(cancelRollout, { params: { rolloutId: id } });
    },
  };
}

export const sorted = (machines: readonly RolloutMachine[]) =>
  [...machines].sort((a, b) => (a.machineId < b.machineId ? -1 : 1));

export const at = <T>(items: readonly T[], index: number): T => {
  const item = items[index];
  if (item === undefined) throw new Error(`there is no item ${index}`);
  return item;
};
