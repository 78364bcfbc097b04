// One backup: a copy of the state at one instant, read through and checked, then packed beside its manifest.
import { copyFileSync, existsSync, renameSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import type { BackupManifest } from "#schema/local/backup";
import { VERSION } from "#schema/version";
import { giveToOwnerOf } from "../give-to-owner.ts";
import { readMigrationsNote } from "../migrate-state.ts";
import { makeFolder, type StatePaths, toStatePaths } from "../state-folder.ts";
import { takeLock } from "../state-lock.ts";
import { DATA, listFiles, OWNER_TOKEN, writeArchive } from "./archive.ts";
import { BackupError } from "./backup-error.ts";
import { copyState } from "./copy-state.ts";
import { type HeldCopy, requestCopy } from "./request-copy.ts";
import { settleDatabase } from "./settle-database.ts";

export interface BackupOptions {
  readonly stateDir: string;
  /** A file, or a folder that gets a file named by its time. */
  readonly to: string;
  readonly withOwnerToken: boolean;
  /** The file may be there already, and is replaced. */
  readonly force: boolean;
  readonly say: (line: string) => void;
}

export interface CreatedBackup {
  readonly file: string;
  readonly bytes: number;
  readonly createdAt: string;
  readonly databases: number;
  readonly hasOwnerToken: boolean;
  /** For how long the control plane answered nothing; null when it was not running. */
  readonly frozenMs: number | null;
}

/** Throws a BackupError for what the caller can mend. */
export async function createBackup({
  stateDir,
  to,
  withOwnerToken,
  force,
  say,
}: BackupOptions): Promise<CreatedBackup> {
  const state = toStatePaths(stateDir);
  if (!existsSync(state.dataFolder)) throw new BackupError(`there is no control plane's state in ${state.path}`);
  if (withOwnerToken && !existsSync(state.ownerTokenFile))
    throw new BackupError(`there is no owner token in ${state.path}: it comes from BECKET_OWNER_TOKEN`);
  const target = toTarget(to, force);

  const { copy, release, isRunning } = await takeCopy(state);
  try {
    say(isRunning ? `copied the state; nothing was answered for ${Math.ceil(copy.frozenMs)} ms` : "copied the state");
    const databases = listFiles(copy.folder).filter((name) => name.endsWith(".sqlite"));
    for (const name of databases) settleDatabase(path.join(copy.folder, name), name);
    say(`checked ${databases.length} databases`);
    if (withOwnerToken) copyFileSync(state.ownerTokenFile, path.join(copy.folder, OWNER_TOKEN));
    const manifest: Omit<BackupManifest, "files"> = {
      format: 1,
      becketVersion: VERSION,
      createdAt: copy.copiedAt,
      migrations: readMigrationsNote(path.join(copy.folder, DATA)).begun,
    };
    const file = target(copy.copiedAt);
    const draft = `${file}.${process.pid}.partial`;
    await writeArchive(draft, { folder: copy.folder, manifest });
    renameSync(draft, file);
    const { createdAt } = manifest;
    const frozenMs = isRunning ? copy.frozenMs : null;
    return {
      ...{ file, createdAt, frozenMs },
      ...{ bytes: statSync(file).size, databases: databases.length, hasOwnerToken: withOwnerToken },
    };
  } finally {
    release();
  }
}

/** From the control plane that runs; where none does, nobody may start one until the copy is made. */
async function takeCopy(state: StatePaths): Promise<HeldCopy & { readonly isRunning: boolean }> {
  const lock = takeLock(state.path);
  if (!lock.ok) return { ...(await requestCopy(state.socketFile)), isRunning: true };
  try {
    makeFolder(state.temporaryFolder);
    giveToOwnerOf(state.path, state.temporaryFolder);
    const copy = copyState(state);
    const release = () => rmSync(copy.folder, { recursive: true, force: true });
    return { copy, release, isRunning: false };
  } finally {
    lock.release();
  }
}

/** Any other name is that of a folder which is not there. */
const ARCHIVE_NAME = /\.(?:tar\.gz|tgz)$/;

/** Looked at before the work begins. */
function toTarget(to: string, force: boolean): (createdAt: string) => string {
  const file = path.resolve(to);
  const found = statSync(file, { throwIfNoEntry: false });
  if (found?.isDirectory()) {
    return (createdAt) => path.join(file, `becket-${createdAt.replace(/[-:]|\.\d+/g, "")}.tar.gz`);
  }
  if (found !== undefined && !force) throw new BackupError(`${file} is there already; name another file, or --force`);
  if (found === undefined && !ARCHIVE_NAME.test(file))
    throw new BackupError(`there is no folder ${file}: make it, or name a file that ends with .tar.gz`);
  if (!existsSync(path.dirname(file))) throw new BackupError(`there is no folder ${path.dirname(file)}`);
  return () => file;
}
