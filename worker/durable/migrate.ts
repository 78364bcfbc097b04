// Migrations of an object's SQLite: append-only. The text of each applied migration is kept, and an object whose history differs from the
// code's refuses to start: going on would run statements against tables that are not what they are thought to be.
import type { Database } from "./sqlite.ts";

export interface Migration {
  readonly name: string;
  readonly statements: readonly string[];
}

/** True when this object was ever migrated: one that was not has nothing stored, and looking at it stores nothing. */
export function isMigrated(db: Database): boolean {
  return db.first("SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'migrations'") !== null;
}

/** Brings the tables up to date, in one transaction. Throws when an applied migration was edited, removed or moved. */
export function migrate(db: Database, migrations: readonly Migration[]): void {
  db.transaction(() => {
    db.run(
      "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, text TEXT NOT NULL)",
    );
    const applied = db.all<{ number: number; name: string; text: string }>("SELECT * FROM migrations ORDER BY number");
    for (const [index, row] of applied.entries()) {
      const known = migrations[index];
      if (known === undefined || known.name !== row.name || toText(known) !== row.text) {
        throw new Error(`migration ${row.number} (${row.name}) was applied and is no longer the same in the code`);
      }
    }
    for (const [offset, migration] of migrations.slice(applied.length).entries()) {
      for (const statement of migration.statements) db.run(statement);
      const number = applied.length + offset + 1;
      db.run("INSERT INTO migrations VALUES (?, ?, ?)", number, migration.name, toText(migration));
    }
  });
}

const toText = (migration: Migration): string => migration.statements.join(";\n");
