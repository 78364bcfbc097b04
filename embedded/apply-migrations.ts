// Applies the migrations that are missing, each in one transaction with its mark. The marks are those of `wrangler d1 migrations apply`.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

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

/** @returns the names that were applied; safe to run again */
export async function applyMigrations(db: MigratedDatabase, folder: string): Promise<string[]> {
  await db.exec(MARKS_TABLE);
  const { results } = await db.prepare("SELECT name FROM d1_migrations").all<{ name: string }>();
  const applied = new Set(results.map(({ name }) => name));
  const missing = readdirSync(folder)
    .filter((name) => name.endsWith(".sql") && !applied.has(name))
    .sort();
  for (const name of missing) {
    const statements = splitStatements(readFileSync(path.join(folder, name), "utf8"));
    const mark = db.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name);
    await db.batch([...statements.map((statement) => db.prepare(statement)), mark] as never[]);
  }
  return missing;
}

/** Drizzle writes a breakpoint between statements; a semicolon may also stand inside one. */
export const splitStatements = (sql: string): string[] =>
  sql
    .split("--> statement-breakpoint")
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
