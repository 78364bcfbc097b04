// The folder that holds everything: D1 and the objects (data/), the owner's token, and a lock so that two control planes never write one
// state. The lock names its holder by pid and start time (a pid alone may be another process's by now), so a killed holder's is taken over.
import { randomBytes } from "node:crypto";
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { StartError } from "./start-error.ts";

export interface StateFolder {
  readonly path: string;
  readonly dataFolder: string;
  readonly ownerTokenFile: string;
  release(): void;
}

export function openStateFolder(folder: string): StateFolder {
  const root = path.resolve(folder);
  const lockFile = path.join(root, "lock");
  const dataFolder = path.join(root, "data");
  try {
    mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
    takeLock(lockFile);
  } catch (error) {
    if (error instanceof StartError) throw error;
    const reason = (error as Error).message;
    throw new StartError("state_not_writable", `the state folder ${root} is not usable: ${reason}`, { cause: error });
  }
  return {
    path: root,
    dataFolder,
    ownerTokenFile: path.join(root, "owner-token"),
    release: () => rmSync(lockFile, { force: true }),
  };
}

/** link(2) fails when the name exists, so of several takers exactly one gets the lock. */
function takeLock(lockFile: string): void {
  const own = `${lockFile}.${process.pid}.${randomBytes(4).toString("hex")}`;
  writeFileSync(own, JSON.stringify({ pid: process.pid, startedAt: readStartTime(process.pid) }), { mode: 0o600 });
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        linkSync(own, lockFile);
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST" || attempt === 3) throw error;
      }
      removeStaleLock(lockFile, own);
    }
  } finally {
    rmSync(own, { force: true });
  }
}

/** Moved aside before it is judged: of two takers the slower one then finds the faster one's lock, and puts it back. */
function removeStaleLock(lockFile: string, own: string): void {
  const aside = `${own}.aside`;
  try {
    refuseIfHeld(lockFile, lockFile);
    renameSync(lockFile, aside);
    refuseIfHeld(aside, lockFile);
  } catch (error) {
    if (existsSync(aside)) linkSync(aside, lockFile);
    // Gone before it was moved: free for the next attempt.
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

function refuseIfHeld(file: string, lockFile: string): void {
  const holder = readLock(file);
  if (holder === null || readStartTime(holder.pid) !== holder.startedAt) return;
  const where = path.dirname(lockFile);
  throw new StartError("state_in_use", `the state folder ${where} is used by process ${holder.pid}; stop it first`);
}

function readLock(lockFile: string): { pid: number; startedAt: string } | null {
  try {
    const { pid, startedAt } = JSON.parse(readFileSync(lockFile, "utf8"));
    return typeof pid === "number" && typeof startedAt === "string" ? { pid, startedAt } : null;
  } catch {
    // Gone again, or cut off by a full disk: nobody holds it.
    return null;
  }
}

/** When the process started, in clock ticks since boot (proc(5), field 22); null when it does not run. */
function readStartTime(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field, the program's name, may hold anything but ends with the last parenthesis.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}
