// D1's migrations by the real files, on SQLite: D1 is that, with batches that are transactions.
import { copyFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { applyMigrations, listMigrations } from "./apply-migrations.ts";
import { createStateFolder } from "./testing/control-plane-process.ts";
import { openDatabase } from "./testing/open-database.ts";

const folder = path.resolve(import.meta.dirname, "../migrations");
const all = listMigrations(folder);

const readSchema = (database: DatabaseSync) =>
  database.prepare("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name").all();

function migrated(): Promise<DatabaseSync> {
  const database = new DatabaseSync(":memory:");
  return applyMigrations(openDatabase(database), folder).then(() => database);
}

test("once is as twice", async () => {
  const database = await migrated();
  const before = readSchema(database);
  expect(await applyMigrations(openDatabase(database), folder)).toEqual(all);
  expect(readSchema(database)).toEqual(before);
  expect(database.prepare("SELECT name FROM d1_migrations ORDER BY id").all()).toEqual(all.map((name) => ({ name })));
});

test("killed at any statement, the next start ends where an undisturbed one does, and loses no row", async () => {
  const whole = readSchema(await migrated());
  for (let failAfter = 0; ; failAfter++) {
    const database = new DatabaseSync(":memory:");
    const outcome = await applyMigrations(openDatabase(database, failAfter), folder).then(
      () => "done",
      (error: Error) => error.message,
    );
    if (outcome === "done") break;
    expect(outcome).toBe("killed");
    expect(await applyMigrations(openDatabase(database), folder)).toEqual(all);
    expect(readSchema(database), `killed at statement ${failAfter}`).toEqual(whole);
  }
});

test("a state of any older version is brought up to date with what is in it", async () => {
  const whole = readSchema(await migrated());
  for (let count = 1; count < all.length; count++) {
    const older = createStateFolder();
    for (const name of all.slice(0, count)) copyFileSync(path.join(folder, name), path.join(older, name));
    const database = new DatabaseSync(":memory:");
    await applyMigrations(openDatabase(database), older);
    database.exec(
      "INSERT INTO meshes (id, name, cidr, cidr6, asn, created_at) VALUES ('msh_1', 'office', '10.1.0.0/16', 'fd00::/64', 1, 2)",
    );
    await applyMigrations(openDatabase(database), folder);
    expect(readSchema(database), `from ${all[count - 1]}`).toEqual(whole);
    expect(database.prepare("SELECT name, fallback FROM meshes").all()).toEqual([
      { name: "office", fallback: "relay" },
    ]);
  }
});

test("a state of a newer version is refused by its name, and left as it is", async () => {
  const newer = createStateFolder();
  for (const name of all) copyFileSync(path.join(folder, name), path.join(newer, name));
  writeFileSync(path.join(newer, "0999_later.sql"), "CREATE TABLE later (one INTEGER)");
  const database = new DatabaseSync(":memory:");
  await applyMigrations(openDatabase(database), newer);
  const before = readSchema(database);
  await expect(applyMigrations(openDatabase(database), folder)).rejects.toMatchObject({
    code: "state_newer",
    message: expect.stringContaining("0999_later.sql"),
  });
  expect(readSchema(database)).toEqual(before);
});
