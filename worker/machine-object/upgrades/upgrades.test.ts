import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { IdentityPublicKey, type MachineId } from "#schema/ids";
import { createDatabase as createD1 } from "../../db/database.ts";
import { findOwnTurn } from "../../db/rollouts.ts";
import { createDatabase } from "../../durable/sqlite.ts";
import { createLogger } from "../../log.ts";
import { TEST_BUILD } from "../../testing/create-test-app.ts";
import { createMachineId } from "../../testing/fake-agent.ts";
import { NEW_AGENT, OLD_AGENT } from "../../testing/rollout-machine.ts";
import { insertTestRollout } from "../../testing/rollout-rows.ts";
import { createMachineStorage } from "../storage.ts";
import { createUpgradeStorage } from "./upgrade-storage.ts";
import { createUpgrades, type UpgradeParts, type UpgradeTurn } from "./upgrades.ts";

const d1 = createD1(env.DB);
const NOW = 1_800_000_000_000;
const { sha256 } = TEST_BUILD;

test("who comes back does not wait for a delivery, which may be waiting for it", async () => {
  const machineId = createMachineId();
  const { rolloutId } = await insertTestRollout(d1, NOW, { machines: [{ machineId, isAway: true }] });
  await withStorage(machineId, async (stored) => {
    const tasks: Promise<unknown>[] = [];
    let answer: Promise<UpgradeTurn> | null = null;
    const upgrades = createUpgrades({
      ...{ ...stored, db: d1, now: () => NOW, isListening: () => true, ring: () => {}, scheduleBy: () => {} },
      outbox: {
        // A delivery is under way, and has just got to this machine.
        enqueue() {
          answer = upgrades.takeTurn({ rolloutId, machineId, sha256 });
        },
        drain: async () => void (await answer),
      },
      waitUntil: (task) => void tasks.push(task),
      randomBytes: (count) => new Uint8Array(count),
      log: createLogger("error"),
    });
    upgrades.saidHello(NEW_AGENT, OLD_AGENT);
    for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) await task;
    expect(await answer).toBe("settled");
    expect(await findOwnTurn(d1, machineId)).toBeNull();
  });
});

/** What the machine's object keeps. */
const withStorage = (
  machineId: MachineId,
  use: (stored: Pick<UpgradeParts, "storage" | "orders">) => Promise<void>,
): Promise<void> =>
  runInDurableObject(env.MACHINE.getByName(machineId), async (_, state) => {
    const db = createDatabase(state.storage);
    const storage = createMachineStorage(db);
    storage.insertMachine({
      ...{ id: machineId, name: "box", identityKey: IdentityPublicKey.parse("A".repeat(43)), agent: NEW_AGENT },
      ...{ revision: 1, removedAt: null, lastSeenAt: null, isGateway: false, keyOrder: null, identityKeySince: 0 },
    });
    await use({ storage, orders: createUpgradeStorage(db) });
  });
