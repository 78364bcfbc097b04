import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { ALARMS_MIGRATION, type Alarms, createAlarms } from "./alarms.ts";
import { migrate } from "./migrate.ts";
import { createDatabase, type Database } from "./sqlite.ts";

const FAR = Date.now() + 3_600_000;

test("the object's alarm is that of the earliest name", () =>
  withAlarms(async ({ alarms, alarmAt }) => {
    alarms.scheduleBy("a", FAR + 2_000);
    expect(await alarmAt()).toBe(FAR + 2_000);
    alarms.scheduleBy("b", FAR + 1_000);
    expect(await alarmAt()).toBe(FAR + 1_000);
    alarms.scheduleBy("c", FAR + 3_000);
    expect(await alarmAt()).toBe(FAR + 1_000);
  }));

test("a name that is due earlier already writes nothing; one that is due later is moved forward", () =>
  withAlarms(async ({ alarms, alarmAt, db }) => {
    alarms.scheduleBy("a", FAR + 1_000);
    const { rowsWritten } = db.work;
    alarms.scheduleBy("a", FAR + 1_000);
    alarms.scheduleBy("a", FAR + 5_000);
    expect(db.work.rowsWritten).toBe(rowsWritten);
    alarms.scheduleBy("a", FAR);
    expect(await alarmAt()).toBe(FAR);
  }));

test("gives what is due, once, and sets the next", () =>
  withAlarms(async ({ alarms, alarmAt }) => {
    alarms.scheduleBy("a", FAR);
    alarms.scheduleBy("b", FAR + 1_000);
    alarms.scheduleBy("c", FAR + 2_000);
    expect(alarms.takeDue(FAR + 1_000)).toEqual(["a", "b"]);
    expect(await alarmAt()).toBe(FAR + 2_000);
    expect(alarms.takeDue(FAR + 1_000)).toEqual(["c"]);
    expect(alarms.takeDue(FAR + 1_000)).toEqual([]);
  }));

test("an alarm that was lost is set again; one that is right is left alone", () =>
  withAlarms(async ({ alarms, alarmAt, storage }) => {
    await alarms.restore();
    expect(await alarmAt()).toBeNull();
    alarms.scheduleBy("a", FAR + 1_000);
    await storage.deleteAlarm();
    alarms.scheduleBy("a", FAR + 2_000);
    expect(await alarmAt()).toBeNull();
    await alarms.restore();
    expect(await alarmAt()).toBe(FAR + 1_000);
    await storage.setAlarm(FAR);
    await alarms.restore();
    expect(await alarmAt()).toBe(FAR);
  }));

interface Parts {
  readonly alarms: Alarms<"a" | "b" | "c">;
  readonly db: Database;
  readonly storage: DurableObjectStorage;
  alarmAt(): Promise<number | null>;
}

const withAlarms = (use: (parts: Parts) => Promise<void>) =>
  runInDurableObject(env.MESH.get(env.MESH.newUniqueId()), async (_, { storage }) => {
    const db = createDatabase(storage);
    migrate(db, [ALARMS_MIGRATION]);
    await use({ db, storage, alarms: createAlarms(db, storage), alarmAt: () => storage.getAlarm() });
  });
