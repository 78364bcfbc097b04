// A copy of the state's data as it is on disk: by the control plane that runs, on request over a socket in its state folder, or straight from a
// folder that nobody uses.
import { constants, cpSync, mkdtempSync, rmSync } from "node:fs";
import path from "node:path";
import type { StateCopy } from "#schema/local/backup";

export interface CopiedFolders {
  readonly dataFolder: string;
  readonly temporaryFolder: string;
}

/** The caller vouches that nothing writes meanwhile. */
export function copyState({ dataFolder, temporaryFolder }: CopiedFolders): StateCopy {
  const folder = mkdtempSync(path.join(temporaryFolder, "copy-"));
  const startedAt = performance.now();
  try {
    cpSync(dataFolder, path.join(folder, "data"), {
      recursive: true,
      // On file systems that can, the copy shares its blocks with the original.
      mode: constants.COPYFILE_FICLONE,
      // Shared memory of processes that are not the copy's: SQLite makes it anew from the log.
      filter: (file) => !file.endsWith("-shm"),
    });
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return { folder, copiedAt: new Date().toISOString(), frozenMs: performance.now() - startedAt };
}
