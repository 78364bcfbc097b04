import { rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { BackupError } from "./backup-error.ts";

/** Brings the write-ahead log into the file and reads all of it: what does not hold together is found now, not at a restore. */
export function settleDatabase(file: string, name: string): void {
  const faults = inspect(file);
  if (faults.length > 0) throw new BackupError(`${name} is damaged: ${faults.slice(0, 3).join("; ")}`);
  for (const suffix of ["-wal", "-shm"]) rmSync(file + suffix, { force: true });
}

function inspect(file: string): string[] {
  try {
    const database = new DatabaseSync(file);
    try {
      const [checkpoint] = database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").all();
      if (checkpoint?.busy === 1) return ["something else writes to it"];
      const rows = database.prepare("PRAGMA integrity_check(3)").all();
      return rows.map((row) => String(row.integrity_check)).filter((text) => text !== "ok");
    } finally {
      database.close();
    }
  } catch (error) {
    return [(error as Error).message];
  }
}
