// The lock on a state folder: the kernel's own, on the file of an empty database that SQLite keeps locked. It ends with the process, however
// that ends, so there is no stale lock to judge; and it holds between containers, where a pid says nothing.
import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { giveToOwnerOf } from "./give-to-owner.ts";

/** Two takers at once disturb each other until one of them waits. */
const LOCK_WAIT_MS = 500;
const SQLITE_BUSY = 5;
/** A database that nothing refers to is closed, and its lock goes with it. */
const held = new Set<DatabaseSync>();

export type TakenLock = { ok: true; release(): void } | { ok: false; holder: string | null };

/** @returns not ok, with the pid of the holder if that is known, while another has it; throws when the folder cannot hold a lock */
export function takeLock(folder: string): TakenLock {
  const file = path.join(folder, "lock.db");
  const holderFile = path.join(folder, "lock.pid");
  // Who can read it can lock it. Made once: to close the file again would let go of a lock that this process has.
  if (!existsSync(file)) writeFileSync(file, "", { mode: 0o600, flag: "a" });
  giveToOwnerOf(folder, file);
  // SQLite would say as little as "unable to open database file".
  accessSync(file, constants.R_OK | constants.W_OK);
  const database = new DatabaseSync(file, { timeout: LOCK_WAIT_MS });
  try {
    database.exec("BEGIN EXCLUSIVE");
    // Of one that was killed, and perhaps another user's.
    rmSync(holderFile, { force: true });
    writeFileSync(holderFile, `${process.pid}\n`, { mode: 0o600, flag: "wx" });
    giveToOwnerOf(folder, holderFile);
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return { ok: false, holder: readHolder(holderFile) };
    throw error;
  }
  held.add(database);
  return {
    ok: true,
    release() {
      if (!held.delete(database)) return;
      rmSync(holderFile, { force: true });
      database.close();
    },
  };
}

function readHolder(file: string): string | null {
  try {
    return readFileSync(file, "utf8").trim() || null;
  } catch {
    // It took the lock a moment ago: it is a holder all the same.
    return null;
  }
}
