// Takes the lock of D1's file, from outside of workerd, as a backup that hangs would.
import { globSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";

/** SQLite waits this long for who writes at the moment. */
const WAIT_MS = 5_000;

/** Resolves with what lets go of it. */
export async function lockDatabase(dataFolder: string): Promise<() => void> {
  const files = globSync(path.join(dataFolder, "**/*D1*/**/*.sqlite")).filter(
    (file) => !file.endsWith("metadata.sqlite"),
  );
  const [file] = files;
  if (file === undefined || files.length > 1) throw new Error(`D1's file is not known: ${files.join(", ") || "none"}`);
  const database = new DatabaseSync(file, { timeout: WAIT_MS });
  database.exec("BEGIN EXCLUSIVE");
  return () => {
    database.exec("ROLLBACK");
    database.close();
  };
}
