import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { KEPT_ROLLOUTS } from "#schema/rollout";
import { createMachineId } from "../testing/fake-agent.ts";
import { createRolloutId, insertTestRollout } from "../testing/rollout-rows.ts";
import { createDatabase, runBatch } from "./database.ts";
import { countRolloutMachines, forgetEndedRollouts, insertRolloutMachines } from "./rollouts.ts";

const db = createDatabase(env.DB);

test("takes more machines than fit into one value of D1", async () => {
  const rolloutId = createRolloutId(1);
  const row = { rolloutId, name: "host", state: "skipped" as const, isAway: false, detail: "x".repeat(400), at: 1 };
  const rows = Array.from({ length: 5_001 }, () => ({ ...row, machineId: createMachineId() }));
  expect(JSON.stringify(rows).length).toBeGreaterThan(2_500_000);
  await runBatch(db, insertRolloutMachines(db, rows));
  expect((await countRolloutMachines(db, [rolloutId])).get(rolloutId)).toEqual({ skipped: 5_001 });
});

test("forgets the oldest that have ended with their machines, two at a time, and never one that has not ended", async () => {
  await env.DB.batch([env.DB.prepare("DELETE FROM rollout_machines"), env.DB.prepare("DELETE FROM rollouts")]);
  const machines = [{}, {}];
  const { rolloutId: openId } = await insertTestRollout(db, 1, { machines });
  const ids: string[] = [];
  for (let at = 2; at < KEPT_ROLLOUTS + 5; at++) {
    ids.push((await insertTestRollout(db, at, { isOpen: false, machines })).rolloutId);
  }
  const left = async () => {
    const rows = await env.DB.batch<{ id: string; count: number }>([
      env.DB.prepare("SELECT id, 2 AS count FROM rollouts ORDER BY id"),
      env.DB.prepare(
        "SELECT rollout_id AS id, count(*) AS count FROM rollout_machines GROUP BY rollout_id ORDER BY id",
      ),
    ]);
    expect(rows[1]?.results).toEqual(rows[0]?.results);
    return rows[0]?.results.map(({ id }) => id);
  };
  for (const forgotten of [0, 2, 3, 3]) {
    expect(await left()).toEqual([openId, ...ids.slice(forgotten)]);
    await runBatch(db, forgetEndedRollouts(db));
  }
  expect(ids.length - 3).toBe(KEPT_ROLLOUTS);
});
