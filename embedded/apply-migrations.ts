// Applies the migrations that are missing, each in one transaction with its mark. The marks are those of `wrangler d1 migrations apply`.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { StartError } from "./start-error.ts";

/** The part of D1 that is needed. */
export interface MigratedDatabase {
  exec(sql: string): Promise<unknown>;
  prepare(sql: string): {
    bind(...values: unknown[]): unknown;
    all<Row>(): Promise<{ results: Row[] }>;
  };
  batch(statements: never[]): Promise<unknown>;
}

const MARKS_TABLE =
  "CREATE TABLE IF NOT EXISTS d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, " +
  "applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)";

/**
 * Throws a StartError for a state that a newer version has migrated: what that made, this one does not know.
 * @returns the names of all that are applied then; safe to run again
 */
export async function applyMigrations(db: MigratedDatabase, folder: string): Promise<string[]> {
  const applied = await readApplied(db, folder);
  for (const name of listMigrations(folder)) {
    if (applied.has(name)) continue;
    const statements = splitStatements(readFileSync(path.join(folder, name), "utf8"));
    const mark = db.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name);
    await db.batch([...statements.map((statement) => db.prepare(statement)), mark] as never[]);
    applied.add(name);
  }
  return [...applied];
}

/** Throws a StartError, as above. */
export async function readApplied(db: MigratedDatabase, folder: string): Promise<Set<string>> {
  await db.exec(MARKS_TABLE);
  const { results } = await db.prepare("SELECT name FROM d1_migrations").all<{ name: string }>();
  const applied = new Set(results.map(({ name }) => name));
  assertKnown(applied, folder);
  return applied;
}

export function assertKnown(applied: ReadonlySet<string>, folder: string): void {
  const known = new Set(listMigrations(folder));
  const unknown = [...applied].find((name) => !known.has(name));
  if (unknown === undefined) return;
  const message = `the state was used by a newer Becket, which has ${unknown}; start that version, or restore a backup of this one`;
  throw new StartError("state_newer", message);
}

export const listMigrations = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".sql"))
    .sort();

/** Drizzle writes a breakpoint between statements; a semicolon may also stand inside one. */
const splitStatements = (sql: string): string[] =>
  sql
    .split("--> statement-breakpoint")
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
