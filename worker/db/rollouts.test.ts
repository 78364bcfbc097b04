import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { ID_PREFIXES, RolloutId, renderUlid } from "#schema/ids";
import { createMachineId } from "../testing/fake-agent.ts";
import { createDatabase, runBatch } from "./database.ts";
import { countRolloutMachines, insertRolloutMachines } from "./rollouts.ts";

test("takes more machines than fit into one value of D1", async () => {
  const db = createDatabase(env.DB);
  const rolloutId = RolloutId.parse(ID_PREFIXES.rollout + renderUlid(1, new Uint8Array(16)));
  const row = { rolloutId, name: "host", state: "skipped" as const, isAway: false, detail: "x".repeat(400), at: 1 };
  const rows = Array.from({ length: 5_001 }, () => ({ ...row, machineId: createMachineId() }));
  expect(JSON.stringify(rows).length).toBeGreaterThan(2_500_000);
  await runBatch(db, insertRolloutMachines(db, rows));
  expect((await countRolloutMachines(db, [rolloutId])).get(rolloutId)).toEqual({ skipped: 5_001 });
});
