// The file system as the agent uses it: small text files that are either whole or absent.
import { readFileSync } from "node:fs";
import { chmod, mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import path from "node:path";

export interface Files {
  /** The text, or null when there is no such file. */
  read(file: string): Promise<string | null>;
  /** As read, at once: for files of /proc and /sys, which are in memory and small. A read in the background costs ten times the processor time. */
  readKernel(file: string): string | null;
  /**
   * Replaces the whole file, mode 0600 unless told otherwise. After a crash or a power cut the file holds the old text
   * or the new one, never a part. The folder must exist.
   */
  writeAtomic(file: string, text: string, mode?: number): Promise<void>;
  /** Makes the folder and its parents with this mode (default 0700). Sets the mode of a folder that exists. */
  makeFolder(folder: string, mode?: number): Promise<void>;
  /** Makes the folder and its parents, 0700, when there is none. Leaves one that exists as it is: it may be everybody's, like /tmp. */
  ensureFolder(folder: string): Promise<void>;
  /** Removes a file or a folder with all that is in it. Fine when it does not exist. */
  remove(fileOrFolder: string): Promise<void>;
  /** Names in a folder, sorted; empty when there is no such folder. */
  list(folder: string): Promise<string[]>;
}

export function createFiles(): Files {
  return {
    async read(file) {
      try {
        return await readFile(file, "utf8");
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    },
    readKernel(file) {
      try {
        return readFileSync(file, "utf8");
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    },
    writeAtomic,
    async makeFolder(folder, mode = 0o700) {
      await makePath(folder, mode);
      await chmod(folder, mode);
    },
    async ensureFolder(folder) {
      await makePath(folder, 0o700);
    },
    async remove(fileOrFolder) {
      await rm(fileOrFolder, { recursive: true, force: true });
    },
    async list(folder) {
      try {
        return (await readdir(folder)).sort();
      } catch (error) {
        if (isMissing(error)) return [];
        throw error;
      }
    },
  };
}

async function writeAtomic(file: string, text: string, mode = 0o600): Promise<void> {
  const folder = path.dirname(file);
  const temporary = path.join(folder, `.${path.basename(file)}.${process.pid}.${nextTemporary++}.tmp`);
  try {
    const handle = await open(temporary, "wx", mode);
    try {
      // The umask may have taken bits from the mode above.
      await handle.chmod(mode);
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  // Without this the rename itself may be lost in a power cut (fsync(2)).
  const directory = await open(folder, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Two writes of one file at the same time must not share a temporary file. */
let nextTemporary = 0;

/**
 * One folder after the other. Node's `recursive` never ends under /proc, which answers ENOENT for a folder whose parent is there
 * (node 20.20.2 and 24.21.0).
 */
async function makePath(folder: string, mode: number): Promise<void> {
  if (await tryMakeFolder(folder, mode)) return;
  const parent = path.dirname(folder);
  if (parent !== folder) await makePath(parent, mode);
  if (await tryMakeFolder(folder, mode)) return;
  throw Object.assign(new Error(`ENOENT: no folder can be made there, mkdir '${folder}'`), { code: "ENOENT" });
}

/** False: its parent is missing, or so it says. */
async function tryMakeFolder(folder: string, mode: number): Promise<boolean> {
  try {
    await mkdir(folder, { mode });
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    // Also where it could not have been made, as on a disk that is read only.
    if (await isFolder(folder)) return true;
    throw error;
  }
}

async function isFolder(name: string): Promise<boolean> {
  try {
    return (await stat(name)).isDirectory();
  } catch {
    // Whatever it is, it can't be used as one; why is in the error of `mkdir`.
    return false;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
