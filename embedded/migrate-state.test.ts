// A state folder that several versions of Becket come to, one of which is killed while it migrates.
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { listMigrations } from "./apply-migrations.ts";
import { isStateMigrated, migrateState, readMigrationsNote } from "./migrate-state.ts";
import { createStateFolder } from "./testing/control-plane-process.ts";
import { openDatabase } from "./testing/open-database.ts";

const folder = path.resolve(import.meta.dirname, "../migrations");
const LATER = ["0998_later.sql", "0999_last.sql"] as const;

function newerVersion(): string {
  const newer = createStateFolder();
  for (const name of listMigrations(folder)) copyFileSync(path.join(folder, name), path.join(newer, name));
  for (const [index, name] of LATER.entries()) {
    writeFileSync(path.join(newer, name), `CREATE TABLE later_${index} (one INTEGER)`);
  }
  return newer;
}

/** A state as this version leaves it. */
async function migratedState() {
  const dataFolder = path.join(createStateFolder(), "data");
  mkdirSync(dataFolder);
  const database = new DatabaseSync(":memory:");
  expect(isStateMigrated(dataFolder, folder)).toBe(false);
  await migrateState(openDatabase(database), dataFolder, folder);
  expect(isStateMigrated(dataFolder, folder)).toBe(true);
  return { dataFolder, database };
}

test("a state that a newer version was killed at is refused by an older one, and finished by the newer one", async () => {
  const { dataFolder, database } = await migratedState();
  const newer = newerVersion();
  // A migration and its mark are two statements: the first is in, the second is not.
  await expect(migrateState(openDatabase(database, 3), dataFolder, newer)).rejects.toThrow("killed");

  expect(isStateMigrated(dataFolder, folder)).toBe(false);
  await expect(migrateState(openDatabase(database), dataFolder, folder)).rejects.toMatchObject({
    code: "state_newer",
    message: expect.stringContaining(LATER[0]),
  });
  // A backup of it is for the newer version, too.
  expect(readMigrationsNote(dataFolder).begun).toEqual(expect.arrayContaining([...LATER]));

  expect(isStateMigrated(dataFolder, newer)).toBe(false);
  await migrateState(openDatabase(database), dataFolder, newer);
  expect(isStateMigrated(dataFolder, newer)).toBe(true);
  expect(() => isStateMigrated(dataFolder, folder)).toThrow(expect.objectContaining({ code: "state_newer" }));

  const note = path.join(dataFolder, "migrations.json");
  rmSync(note);
  expect(isStateMigrated(dataFolder, folder)).toBe(false);
  await expect(migrateState(openDatabase(database), dataFolder, folder)).rejects.toMatchObject({ code: "state_newer" });
  expect(existsSync(note)).toBe(false);
});

test("a newer version that was killed before it changed anything is in nobody's way", async () => {
  const { dataFolder, database } = await migratedState();
  await expect(migrateState(openDatabase(database, 0), dataFolder, newerVersion())).rejects.toThrow("killed");
  expect(isStateMigrated(dataFolder, folder)).toBe(false);
  await migrateState(openDatabase(database), dataFolder, folder);
  expect(isStateMigrated(dataFolder, folder)).toBe(true);
  expect(readMigrationsNote(dataFolder).begun).toEqual(listMigrations(folder));
});

test.each(["[]", "{", '{"begun":["0001_create_tables.sql"]}'])(
  "a note that says %s says nothing: the database is asked",
  async (text) => {
    const { dataFolder, database } = await migratedState();
    writeFileSync(path.join(dataFolder, "migrations.json"), text);
    expect(isStateMigrated(dataFolder, folder)).toBe(false);
    await migrateState(openDatabase(database), dataFolder, folder);
    expect(isStateMigrated(dataFolder, folder)).toBe(true);
  },
);
