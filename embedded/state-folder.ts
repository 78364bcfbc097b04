// The folder that holds everything: D1 and the objects (data/), the owner's token, what is of use only while it runs (tmp/, url), and a lock so
// that two control planes never write one state.
import { existsSync, mkdirSync, readdirSync, rmSync, statfsSync } from "node:fs";
import path from "node:path";
import type { RestoredNote } from "#schema/local/backup";
import { readRestoredNote } from "./backup/restored-note.ts";
import { StartError } from "./start-error.ts";
import { takeLock } from "./state-lock.ts";

export interface StatePaths {
  readonly path: string;
  readonly dataFolder: string;
  /** Empty at each start, so what a killed control plane left goes then. */
  readonly temporaryFolder: string;
  /** What a restore is unpacking; there is none when it has ended. */
  readonly incomingFolder: string;
  readonly ownerTokenFile: string;
  /** Where the control plane answers, or did last, for commands beside it. */
  readonly urlFile: string;
  /** Where it takes what only this machine may ask for. */
  readonly socketFile: string;
}

export interface StateFolder extends StatePaths {
  release(): void;
}

export function openStateFolder(folder: string): StateFolder {
  const paths = toStatePaths(folder);
  const { path: root, dataFolder, temporaryFolder } = paths;
  try {
    makeFolder(root);
    const release = lock(root);
    try {
      assertRestored(paths);
      makeFolder(dataFolder);
      rmSync(temporaryFolder, { recursive: true, force: true });
      makeFolder(temporaryFolder);
    } catch (error) {
      release();
      throw error;
    }
    return { ...paths, release };
  } catch (error) {
    if (error instanceof StartError) throw error;
    const reason = (error as Error).message;
    throw new StartError("state_not_writable", `the state folder ${root} is not usable: ${reason}`, { cause: error });
  }
}

/** What the system refuses there is for whoever started it to mend; anything else stays what it is. */
export function toStateError(
  root: string,
  error: unknown,
  readFree: (folder: string) => number = readFreeBytes,
): unknown {
  if (error instanceof StartError) return error;
  const { code = "", syscall = "", message } = error as NodeJS.ErrnoException;
  const toRefusal = (reason: string) =>
    new StartError("state_not_writable", `the state folder ${root} is not usable: ${reason}`, { cause: error });
  if (REFUSALS.has(code) && !syscall.startsWith("spawn")) return toRefusal(message);
  // The runtime says no more of it than "internal error".
  return readFree(root) < MIN_FREE_BYTES ? toRefusal("its disk is full") : error;
}

/** Less than a start needs. */
const MIN_FREE_BYTES = 1_048_576;

/** More than any, where the folder is gone: it is not said to be full then. */
function readFreeBytes(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Full, read-only, broken, gone with its server, another user's, or a folder in a file's place. */
const REFUSALS: ReadonlySet<string> = new Set([
  ...["ENOSPC", "EDQUOT", "EROFS", "EIO", "ESTALE", "EACCES", "EPERM", "EISDIR", "ENOTDIR", "ERR_FS_EISDIR"],
]);

export function toStatePaths(folder: string): StatePaths {
  const root = path.resolve(folder);
  return {
    path: root,
    dataFolder: path.join(root, "data"),
    temporaryFolder: path.join(root, "tmp"),
    incomingFolder: path.join(root, "incoming"),
    ownerTokenFile: path.join(root, "owner-token"),
    urlFile: path.join(root, "url"),
    socketFile: path.join(root, "control.sock"),
  };
}

/** Where a restore puts the data aside that was there. */
export const toAside = (dataFolder: string, restoredAt: string): string =>
  `${dataFolder}.before-${restoredAt.replace(/[-:]|\.\d+/g, "")}`;

/** Without its data, this would be a new control plane, which nobody meant to start. */
function assertRestored(paths: StatePaths): void {
  if (!existsSync(paths.incomingFolder)) return;
  throw new StartError("restore_unfinished", `a restore into ${paths.path} did not end; ${adviseOn(paths)}`);
}

/** It was cut off before, between or after its two renames: `data` aside, then `incoming/data` in its place. */
function adviseOn({ dataFolder, incomingFolder }: StatePaths): string {
  const incomingData = path.join(incomingFolder, "data");
  const arrived = existsSync(incomingData) ? null : readUnsettled(dataFolder);
  const note = arrived ?? readUnsettled(incomingData);
  const name = note === null ? null : toAside(dataFolder, note.restoredAt);
  const aside = name !== null && existsSync(name) ? name : findLastAside(dataFolder);
  if (arrived !== null) {
    const before =
      aside === null ? "" : `; or, for the state before it, remove ${dataFolder} as well and rename ${aside} to that`;
    return `what was backed up is in its place: remove ${incomingFolder}${before}`;
  }
  const before = aside === null || existsSync(dataFolder) ? "" : `rename ${aside} to ${dataFolder} and `;
  return `run it again, or, for the state before it, ${before}remove ${incomingFolder}`;
}

/** Run again and cut off again, a restore knows no more what the one before it put aside. */
function findLastAside(dataFolder: string): string | null {
  if (existsSync(dataFolder)) return null;
  const folder = path.dirname(dataFolder);
  const beginning = `${path.basename(dataFolder)}.before-`;
  // Their times sort as text.
  const last = readdirSync(folder)
    .filter((name) => name.startsWith(beginning))
    .sort()
    .at(-1);
  return last === undefined ? null : path.join(folder, last);
}

/** Of a restore that nothing was started on. */
function readUnsettled(dataFolder: string): RestoredNote | null {
  const note = readRestoredNote(dataFolder);
  return note?.isSettled === false ? note : null;
}

/** One level at a time: Node's recursive mkdir(2) never ends where ENOENT is the kernel's answer beside an existing parent, as in /proc. */
export function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(path.dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Made by another starter since; a file of that name shows at its first use.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

function lock(root: string): () => void {
  const taken = takeLock(root);
  if (taken.ok) return taken.release;
  const holder = taken.holder === null ? "another process" : `process ${taken.holder}`;
  throw new StartError("state_in_use", `the state folder ${root} is used by ${holder}; stop it first`);
}
