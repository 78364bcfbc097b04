// The folder that holds everything: D1 and the objects (data/), the owner's token, what is of use only while it runs (tmp/, url), and a lock so
// that two control planes never write one state.
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
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
export function toStateError(root: string, error: unknown): unknown {
  const { code = "", syscall = "" } = error as NodeJS.ErrnoException;
  if (!REFUSALS.has(code) || syscall.startsWith("spawn")) return error;
  const reason = (error as Error).message;
  return new StartError("state_not_writable", `the state folder ${root} is not usable: ${reason}`, { cause: error });
}

/** Full, read-only, broken, another user's, or a folder in a file's place. */
const REFUSALS: ReadonlySet<string> = new Set([
  ...["ENOSPC", "EDQUOT", "EROFS", "EIO", "EACCES", "EPERM", "EISDIR", "ENOTDIR", "ERR_FS_EISDIR"],
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

/** Without its data, this would be a new control plane, which nobody meant to start. */
function assertRestored({ path: root, dataFolder, incomingFolder }: StatePaths): void {
  if (!existsSync(incomingFolder)) return;
  // Cut off between its two renames, it has put the former state aside and nothing in its place.
  const aside = existsSync(dataFolder) ? undefined : readdirSync(root).find((name) => name.startsWith("data.before-"));
  const before = aside === undefined ? "" : `rename ${path.join(root, aside)} to ${dataFolder} and `;
  const message = `a restore into ${root} did not end; run it again, or, for the state before it, ${before}remove ${incomingFolder}`;
  throw new StartError("restore_unfinished", message);
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
