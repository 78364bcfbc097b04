// D1 that fails for a while: nothing that was answered is lost, order is kept. The fault is real: the tables are renamed away.
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import { z } from "zod";
import { createAlarms } from "../durable/alarms.ts";
import { migrate } from "../durable/migrate.ts";
import { createDatabase } from "../durable/sqlite.ts";
import { createLogger } from "../log.ts";
import { createTestMesh } from "../testing/test-mesh.ts";
import { createOutbox, createOutboxMigration, type OutboxOptions } from "./outbox.ts";

const breakD1 = () => env.DB.exec("ALTER TABLE memberships RENAME TO memberships_away");
const mendD1 = () => env.DB.exec("ALTER TABLE memberships_away RENAME TO memberships");

afterEach(async () => {
  await mendD1().catch(() => undefined);
});

test("joins that were answered while D1 failed are there, and D1 catches up by alarm, across eviction", async () => {
  const mesh = await createTestMesh();
  await breakD1();
  const stays = await mesh.addNew();
  const leaves = await mesh.addNew();
  await mesh.remove(leaves.machineId);
  expect(await mesh.mesh.listMembers({ after: null, limit: 10 })).toMatchObject({ value: [{ address: "10.1.0.1" }] });
  await evictDurableObject(mesh.stub);
  expect(await runDurableObjectAlarm(mesh.stub)).toBe(true);
  await mendD1();
  expect(await membersOf(mesh.settings.id)).toEqual([]);

  expect(await runDurableObjectAlarm(mesh.stub)).toBe(true);
  expect(await membersOf(mesh.settings.id)).toEqual([stays.machineId]);
  expect(await auditActionsOf(mesh.settings.id)).toEqual(["member.added", "member.added", "member.removed"]);
});

test("an object that died between its answer and the delivery delivers by alarm", async () => {
  const mesh = await createTestMesh();
  await runInDurableObject(mesh.stub, (_, { storage }) => {
    const db = createDatabase(storage);
    createAlarms(db, storage).scheduleBy("outbox", Date.now() + 60_000);
    const row = { meshId: mesh.settings.id, machineId: "mch_01kb00000000000000000000aa", address: "10.1.0.1" };
    const entry = { type: "membership", row: { ...row, address6: "fd00::1", revision: 2, joinedAt: 1 } };
    db.run("INSERT INTO outbox (entries) VALUES (?)", JSON.stringify([entry]));
  });
  await evictDurableObject(mesh.stub);
  await runDurableObjectAlarm(mesh.stub);
  expect(await membersOf(mesh.settings.id)).toEqual(["mch_01kb00000000000000000000aa"]);
});

test("an object whose alarm was lost delivers when it is back", async () => {
  const mesh = await createTestMesh();
  await breakD1();
  const { machineId } = await mesh.addNew();
  await runInDurableObject(mesh.stub, async (_, { storage }) => {
    storage.sql.exec("UPDATE alarms SET at = 1");
    await storage.deleteAlarm();
  });
  await mendD1();
  await evictDurableObject(mesh.stub);
  await mesh.mesh.readPresence([]);
  await vi.waitFor(async () => expect(await membersOf(mesh.settings.id)).toEqual([machineId]));
});

test("an alarm with nothing to deliver writes no row but its own", async () => {
  const mesh = await createTestMesh();
  await mesh.addNew();
  await vi.waitFor(async () => expect(await membersOf(mesh.settings.id)).toHaveLength(1));
  await runDurableObjectAlarm(mesh.stub);
  expect(await runDurableObjectAlarm(mesh.stub)).toBe(false);
  const rows = await runInDurableObject(mesh.stub, (_, { storage }) =>
    ["outbox", "notices", "alarms"].map((table) => storage.sql.exec(`SELECT * FROM ${table}`).toArray().length),
  );
  expect(rows).toEqual([0, 0, 0]);
});

test("delivers in order and in batches of bounded size", () =>
  withOutbox(async ({ outbox, delivered }) => {
    for (let index = 0; index < 60; index++) outbox.enqueue([index * 2, index * 2 + 1], 0);
    await outbox.drain();
    expect(delivered.map((batch) => batch.length)).toEqual([50, 50, 20]);
    expect(delivered.flat()).toEqual(Array.from({ length: 120 }, (_, index) => index));
    expect(outbox.isEmpty()).toBe(true);
  }));

test("delivers less together where entries are long: D1 takes 2 MB in one value", () =>
  withOutbox(async ({ outbox, delivered }) => {
    for (let index = 0; index < 10; index++) outbox.enqueue(Array(20_000).fill(1e15 + index), 0);
    await outbox.drain();
    expect(delivered.map((batch) => JSON.stringify(batch).length)).toEqual(Array(10).fill(340_001));
  }, 1_000_000));

test("tries again with longer and longer pauses, and only by alarm meanwhile", () =>
  withOutbox(async ({ outbox, delivered, failNext, scheduled, clock }) => {
    outbox.enqueue([1], clock.ms);
    failNext(3);
    await outbox.drain();
    await outbox.drain();
    await outbox.drain({ isRetry: true });
    await outbox.drain({ isRetry: true });
    expect(scheduled).toEqual([15_000, 1_000, 2_000, 4_000]);
    expect(delivered).toEqual([]);
    clock.ms = 4_000;
    await outbox.drain();
    expect(delivered).toEqual([[1]]);
  }));

test("keeps what single receivers did not take for later, and holds up nobody else for it", () =>
  withOutbox(async ({ outbox, delivered, scheduled, refused, clock }) => {
    for (const first of [0, 50, 100])
      outbox.enqueue(
        Array.from({ length: 30 }, (_, index) => first + index),
        0,
      );
    refused.add(7).add(120);
    await outbox.drain();
    expect(delivered.flat()).toHaveLength(88);
    expect(outbox.isEmpty()).toBe(false);
    expect(scheduled.slice(3)).toEqual([1_000]);
    await outbox.drain({ isRetry: true });
    expect(scheduled.slice(4)).toEqual([2_000]);
    refused.clear();
    clock.ms = 2_000;
    await outbox.drain();
    expect(delivered.flat().slice(88)).toEqual([7, 120]);
    expect(outbox.isEmpty()).toBe(true);
  }));

test("reads the rows of the next delivery, not all that wait", () =>
  withOutbox(async ({ outbox, work, duringNext }) => {
    for (let row = 0; row < 40; row++) outbox.enqueue(Array(50).fill(row), 0);
    const before = work.rowsRead;
    let readForFirst = 0;
    duringNext(() => {
      readForFirst = work.rowsRead - before;
    });
    await outbox.drain();
    expect(readForFirst).toBeLessThan(5);
    expect(outbox.isEmpty()).toBe(true);
  }));

test("delivers what comes while it delivers, once", () =>
  withOutbox(async ({ outbox, delivered, duringNext }) => {
    outbox.enqueue([1], 0);
    duringNext(() => {
      outbox.enqueue([2], 0);
      void outbox.drain();
    });
    await outbox.drain();
    outbox.enqueue([3], 0);
    await outbox.drain();
    expect(delivered).toEqual([[1], [2], [3]]);
  }));

async function withOutbox(
  use: (parts: ReturnType<typeof createParts>) => Promise<void>,
  maxEntries = 50,
): Promise<void> {
  await runInDurableObject(env.MESH.get(env.MESH.newUniqueId()), async (_, state) => {
    const db = createDatabase(state.storage);
    migrate(db, [createOutboxMigration("outbox")]);
    await use(createParts(db, maxEntries));
  });
}

function createParts(db: OutboxOptions<number>["db"], maxEntries: number) {
  const delivered: number[][] = [];
  const scheduled: number[] = [];
  const clock = { ms: 0 };
  const refused = new Set<number>();
  let failures = 0;
  let during: (() => void) | null = null;
  const outbox = createOutbox<number>({
    db,
    table: "outbox",
    schema: z.number(),
    maxEntries,
    now: () => clock.ms,
    log: createLogger("error"),
    scheduleBy: (atMs) => void scheduled.push(atMs),
    async deliver(entries) {
      await Promise.resolve();
      during?.();
      during = null;
      if (failures-- > 0) throw new Error("not now");
      delivered.push(entries.filter((entry) => !refused.has(entry)));
      return entries.filter((entry) => refused.has(entry));
    },
  });
  return {
    ...{ outbox, delivered, scheduled, clock, refused, work: db.work },
    failNext: (count: number) => {
      failures = count;
    },
    duringNext: (act: () => void) => {
      during = act;
    },
  };
}

const membersOf = async (meshId: string) => {
  const query = env.DB.prepare("SELECT machine_id FROM memberships WHERE mesh_id = ?").bind(meshId);
  return (await query.raw()).flat();
};

const auditActionsOf = async (meshId: string) => {
  const query = env.DB.prepare("SELECT action FROM audit_events WHERE mesh_id = ? ORDER BY action").bind(meshId);
  return (await query.raw()).flat();
};
