// Brings a state folder's database up to date. A note beside the data saves later starts from opening the database to see that nothing is to do. It is
// written before the first migration, too: whoever comes after one that was killed in between, of whatever version, has to look into the database.
import { readFileSync } from "node:fs";
import path from "node:path";
import { MigrationsNote } from "#schema/local/migrations-note";
import {
  applyMigrations,
  assertKnown,
  listMigrations,
  type MigratedDatabase,
  readApplied,
} from "./apply-migrations.ts";
import { replaceFile } from "./replace-file.ts";

/** Throws a StartError where a newer version has migrated the state. */
export function isStateMigrated(dataFolder: string, migrationsFolder: string): boolean {
  const { begun, isDone } = readMigrationsNote(dataFolder);
  if (!isDone) return false;
  const names = new Set(begun);
  assertKnown(names, migrationsFolder);
  return listMigrations(migrationsFolder).every((name) => names.has(name));
}

/** Throws a StartError, as above; safe to run again. */
export async function migrateState(
  database: MigratedDatabase,
  dataFolder: string,
  migrationsFolder: string,
): Promise<void> {
  // A start that is refused leaves no note that could be taken for what is there.
  await readApplied(database, migrationsFolder);
  const begun = new Set([...readMigrationsNote(dataFolder).begun, ...listMigrations(migrationsFolder)]);
  writeMigrationsNote(dataFolder, { begun: [...begun], isDone: false });
  const applied = await applyMigrations(database, migrationsFolder);
  writeMigrationsNote(dataFolder, { begun: applied, isDone: true });
}

export function readMigrationsNote(dataFolder: string): MigrationsNote {
  try {
    return MigrationsNote.parse(JSON.parse(readFileSync(path.join(dataFolder, NOTE), "utf8")));
  } catch {
    // Missing, cut off or another version's: the database knows.
    return { begun: [], isDone: false };
  }
}

/** On the disk before what it tells of. */
function writeMigrationsNote(dataFolder: string, note: MigrationsNote): void {
  replaceFile(path.join(dataFolder, NOTE), JSON.stringify(note));
}

const NOTE = "migrations.json";
