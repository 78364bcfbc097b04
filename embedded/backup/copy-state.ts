// A copy of the state's data as it is on disk: by the control plane that runs, on request over a socket in its state folder, or straight from a
// folder that nobody uses.
import { constants, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import type { StateCopy } from "#schema/local/backup";
import { giveToOwnerOf } from "../give-to-owner.ts";

const DATA = "data";

export interface CopiedFolders {
  readonly dataFolder: string;
  readonly temporaryFolder: string;
}

/** The caller vouches that nothing writes meanwhile. */
export function copyState({ dataFolder, temporaryFolder }: CopiedFolders): StateCopy {
  const folder = mkdtempSync(path.join(temporaryFolder, "copy-"));
  const startedAt = performance.now();
  try {
    makeFolders(folder, { dataFolder, temporaryFolder });
    cpSync(dataFolder, path.join(folder, DATA), {
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

/** Those of the copy, before anything is in them: root's files in a folder of one's own can be removed, but not what is in root's folders. */
function makeFolders(copy: string, { dataFolder, temporaryFolder }: CopiedFolders): void {
  const names = readdirSync(dataFolder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => path.relative(dataFolder, path.join(entry.parentPath, entry.name)));
  const folders = ["", ...names].map((name) => path.join(copy, DATA, name));
  for (const folder of folders) mkdirSync(folder, { recursive: true, mode: 0o700 });
  giveToOwnerOf(temporaryFolder, copy, ...folders);
}
