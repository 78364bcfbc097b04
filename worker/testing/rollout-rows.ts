// Roll-outs as rows of D1, for tests without machines.
import { ID_PREFIXES, type MachineId, RolloutId, renderUlid } from "#schema/ids";
import { type Database, runBatch } from "../db/database.ts";
import { insertRollout, insertRolloutMachines, type RolloutMachineRecord, type RolloutRecord } from "../db/rollouts.ts";
import { TEST_BUILD } from "./create-test-app.ts";
import { createMachineId } from "./fake-agent.ts";

export const createRolloutId = (at: number): RolloutId =>
  RolloutId.parse(ID_PREFIXES.rollout + renderUlid(at, crypto.getRandomValues(new Uint8Array(16))));

/** One that was started then, runs unless it is said otherwise, and has a row for each of `machines`, which wait unless it is said otherwise. */
export async function insertTestRollout(
  db: Database,
  createdAt: number,
  {
    machines,
    ...rollout
  }: Partial<RolloutRecord> & { readonly machines: readonly Partial<Omit<RolloutMachineRecord, "rolloutId">>[] },
): Promise<{ readonly rolloutId: RolloutId; readonly machineIds: readonly MachineId[] }> {
  const rolloutId = rollout.id ?? createRolloutId(createdAt);
  const rows = machines.map((machine) => ({
    ...{ rolloutId, machineId: createMachineId(), name: "box", state: "waiting" as const, isAway: false, detail: null },
    ...{ at: createdAt, ...machine },
  }));
  await runBatch(db, [
    insertRollout(db, {
      ...{ id: rolloutId, buildVersion: TEST_BUILD.version, buildSha256: TEST_BUILD.sha256, atOnce: 1 },
      ...{ state: "running", isOpen: true, reason: null, startedBy: "Ada", createdAt, endedAt: null },
      ...rollout,
    }),
    ...insertRolloutMachines(db, rows),
  ]);
  return { rolloutId, machineIds: rows.map(({ machineId }) => machineId) };
}
