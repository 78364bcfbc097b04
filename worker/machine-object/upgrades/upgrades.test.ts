import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { IdentityPublicKey, RolloutId } from "#schema/ids";
import { createDatabase as createD1, runBatch } from "../../db/database.ts";
import { findOwnTurn, insertRollout, insertRolloutMachines } from "../../db/rollouts.ts";
import { createDatabase } from "../../durable/sqlite.ts";
import { createLogger } from "../../log.ts";
import { TEST_BUILD } from "../../testing/create-test-app.ts";
import { createMachineId } from "../../testing/fake-agent.ts";
import { NEW_AGENT, OLD_AGENT } from "../../testing/rollout-machine.ts";
import { createMachineStorage } from "../storage.ts";
import { createUpgradeStorage } from "./upgrade-storage.ts";
import { createUpgrades, type UpgradeParts, type UpgradeTurn } from "./upgrades.ts";

const d1 = createD1(env.DB);
const NOW = 1_800_000_000_000;
const { version: buildVersion, sha256 } = TEST_BUILD;
const place = { rolloutId: RolloutId.parse(`rol_${"0".repeat(26)}`), machineId: createMachineId() };

test("who comes back does not wait for a delivery, which may be waiting for it", async () => {
  await insertMissed();
  await withStorage(async (stored) => {
    const tasks: Promise<unknown>[] = [];
    let answer: Promise<UpgradeTurn> | null = null;
    const upgrades = createUpgrades({
      ...{ ...stored, db: d1, now: () => NOW, isListening: () => true, ring: () => {}, scheduleBy: () => {} },
      outbox: {
        // A delivery is under way, and has just got to this machine.
        enqueue() {
          answer = upgrades.takeTurn({ ...place, sha256 });
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
    expect(await findOwnTurn(d1, place.machineId)).toBeNull();
  });
});

/** A roll-out that runs, and has passed the machine over. */
const insertMissed = () =>
  runBatch(d1, [
    insertRollout(d1, {
      ...{ id: place.rolloutId, buildVersion, buildSha256: sha256, atOnce: 1, state: "running", isOpen: true },
      ...{ reason: null, startedBy: "Ada", createdAt: NOW, endedAt: null },
    }),
    ...insertRolloutMachines(d1, [{ ...place, name: "box", state: "waiting", isAway: true, detail: null, at: NOW }]),
  ]);

/** What the machine's object keeps. */
const withStorage = (
  use: (stored: Pick<UpgradeParts, "storage" | "orders">) => Promise<void>,
): Promise<void> =>
  runInDurableObject(env.MACHINE.getByName(place.machineId), async (_, state) => {
    const db = createDatabase(state.storage);
    const storage = createMachineStorage(db);
    storage.insertMachine({
      ...{ id: place.machineId, name: "box", identityKey: IdentityPublicKey.parse("A".repeat(43)), agent: NEW_AGENT },
      ...{ revision: 1, removedAt: null, lastSeenAt: null, isGateway: false, keyOrder: null, identityKeySince: 0 },
    });
    await use({ storage, orders: createUpgradeStorage(db) });
  });
