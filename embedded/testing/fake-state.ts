// A state folder as a control plane leaves it, made by hand: databases with a log beside them, without the seconds that a start takes.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { onTestFinished } from "vitest";

export const FAKE_OWNER_TOKEN = "bkt_the-token-of-this-folder";
export const FAKE_DATABASE = "data/d1/miniflare-D1DatabaseObject/one.sqlite";

/** The last row is in the write-ahead log only, as it is in a control plane that runs. */
export function fillState(state: string, { value }: { value: string }): void {
  for (const name of [FAKE_DATABASE, "data/do/becket-MeshObject/two.sqlite"]) {
    const file = path.join(state, name);
    mkdirSync(path.dirname(file), { recursive: true });
    const database = new DatabaseSync(file);
    onTestFinished(() => database.close());
    database.exec("PRAGMA journal_mode = WAL; CREATE TABLE one (value TEXT)");
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    database.prepare("INSERT INTO one VALUES (?)").run(value);
  }
  writeFileSync(
    path.join(state, "data/migrations.json"),
    JSON.stringify({ begun: ["0001_create_tables.sql"], isDone: true }),
  );
  writeFileSync(path.join(state, "owner-token"), `${FAKE_OWNER_TOKEN}\n`);
}

export function readFakeValues(state: string): unknown[] {
  const database = new DatabaseSync(path.join(state, FAKE_DATABASE));
  try {
    return database
      .prepare("SELECT value FROM one")
      .all()
      .map((row) => row.value);
  } finally {
    database.close();
  }
}
