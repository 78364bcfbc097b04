import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { isMigrated, type Migration, migrate } from "./migrate.ts";
import { createDatabase, type Database } from "./sqlite.ts";

const first: Migration = { name: "create things", statements: ["CREATE TABLE things (id INTEGER PRIMARY KEY)"] };
const second: Migration = { name: "name things", statements: ["ALTER TABLE things ADD COLUMN name TEXT"] };

test("applies each migration once, and later ones on top", () =>
  withDatabase((db) => {
    migrate(db, [first]);
    db.run("INSERT INTO things VALUES (1)");
    migrate(db, [first, second]);
    migrate(db, [first, second]);
    expect(db.all("SELECT * FROM things")).toEqual([{ id: 1, name: null }]);
  }));

test("an untouched object is not migrated, and looking stores nothing", () =>
  withDatabase((db) => {
    expect(isMigrated(db)).toBe(false);
    expect(db.work.rowsWritten).toBe(0);
    migrate(db, []);
    expect(isMigrated(db)).toBe(true);
  }));

test.each<[string, Migration[]]>([
  ["edited", [{ ...first, statements: ["CREATE TABLE things (id TEXT)"] }, second]],
  ["renamed", [{ ...first, name: "make things" }, second]],
  ["removed", [first]],
  ["moved", [second, first]],
])("refuses a history that was %s", (_, history) =>
  withDatabase((db) => {
    migrate(db, [first, second]);
    expect(() => migrate(db, history)).toThrow(/was applied and is no longer the same/);
  }),
);

test("leaves nothing of a migration that fails", () =>
  withDatabase((db) => {
    migrate(db, [first]);
    const broken = {
      name: "break",
      statements: ["CREATE TABLE more (id INTEGER)", "CREATE TABLE things (id INTEGER)"],
    };
    expect(() => migrate(db, [first, broken])).toThrow();
    expect(db.all("SELECT name FROM sqlite_master WHERE name = 'more'")).toEqual([]);
    migrate(db, [first, second]);
  }));

const withDatabase = (use: (db: Database) => void) =>
  runInDurableObject(env.MESH.get(env.MESH.newUniqueId()), (_, state) => use(createDatabase(state.storage)));
