// Puts a backup into a state folder. Everything is unpacked and checked beside the data first; then one rename makes it the state, as a new generation
// (schema/generation.ts).
import { randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import path from "node:path";
import { renderGeneration } from "#schema/generation";
import type { BackupManifest, RestoredNote } from "#schema/local/backup";
import { listMigrations } from "../apply-migrations.ts";
import { giveToOwnerOf } from "../give-to-owner.ts";
import { replaceFile } from "../replace-file.ts";
import { makeFolder, type StatePaths, toAside, toStatePaths } from "../state-folder.ts";
import { takeLock } from "../state-lock.ts";
import { DATA, listFiles, OWNER_TOKEN, readArchive } from "./archive.ts";
import { BackupError } from "./backup-error.ts";
import { writeRestoredNote } from "./restored-note.ts";
import { settleDatabase } from "./settle-database.ts";

export interface RestoreOptions {
  readonly file: string;
  readonly stateDir: string;
  /** There may be data already, which is moved aside. */
  readonly force: boolean;
  readonly say: (line: string) => void;
}

export interface RestoredBackup {
  readonly state: string;
  readonly backupCreatedAt: string;
  readonly restoredAt: string;
  readonly generation: string;
  readonly databases: number;
  /** Where the data is that was there; null when there was none. */
  readonly previousData: string | null;
  readonly ownerToken: "restored" | "kept" | "none";
}

const migrationsFolder = path.resolve(import.meta.dirname, "../../migrations");

/** Throws a BackupError for what the caller can mend; what was in the data's place is there then. */
export async function restoreBackup({ file, stateDir, force, say }: RestoreOptions): Promise<RestoredBackup> {
  const state = toStatePaths(stateDir);
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw new BackupError(`there is no file ${file}`);
  const isNew = !existsSync(state.path);
  makeFolder(state.path);
  const lock = takeLock(state.path);
  if (!lock.ok) {
    const holder = lock.holder === null ? "another process" : `process ${lock.holder}`;
    throw new BackupError(`the state folder ${state.path} is used by ${holder}; stop it first`);
  }
  try {
    if (isFilled(state.dataFolder) && !force) {
      const advice = "name an empty folder, or --force to move that aside";
      throw new BackupError(`${state.path} holds the state of a control plane already; ${advice}`);
    }
    return await replaceData(state, file, say);
  } catch (error) {
    rmSync(state.incomingFolder, { recursive: true, force: true });
    // Nor may a control plane begin without the data that a restore before this one put aside, or that this one was to bring.
    if (!isNew && !existsSync(state.dataFolder)) makeFolder(state.incomingFolder);
    throw error;
  } finally {
    lock.release();
    if (isNew && !existsSync(state.dataFolder)) rmSync(state.path, { recursive: true, force: true });
  }
}

async function replaceData(state: StatePaths, file: string, say: (line: string) => void): Promise<RestoredBackup> {
  const { incomingFolder, dataFolder, ownerTokenFile } = state;
  rmSync(incomingFolder, { recursive: true, force: true });
  // That it is there says that what was restored is not in its place yet (state-folder.ts).
  makeFolder(path.join(incomingFolder, DATA));
  const manifest = await readArchive(path.resolve(file), incomingFolder);
  assertKnown(manifest, file);
  say(
    `unpacked the backup of ${manifest.createdAt}; all ${Object.keys(manifest.files).length} files are what was backed up`,
  );
  const databases = listFiles(incomingFolder).filter((name) => name.endsWith(".sqlite"));
  for (const name of databases) settleDatabase(path.join(incomingFolder, name), name);
  say(`checked ${databases.length} databases`);

  const note = toNote(manifest);
  const incomingData = path.join(incomingFolder, DATA);
  writeRestoredNote(incomingData, note);
  const ownerToken = takeOwnerToken(incomingFolder, ownerTokenFile);
  const entries = ["", ...readdirSync(incomingData, { recursive: true, encoding: "utf8" })];
  giveToOwnerOf(state.path, ...entries.map((entry) => path.join(incomingData, entry)));
  // The renames may be on the disk before what they name.
  syncTree(incomingData);
  const previousData = exchange(dataFolder, incomingData, note.restoredAt);
  syncPath(state.path);
  rmSync(incomingFolder, { recursive: true, force: true });
  const { generation, backupCreatedAt, restoredAt } = note;
  return {
    state: state.path,
    backupCreatedAt,
    restoredAt,
    generation,
    databases: databases.length,
    previousData,
    ownerToken,
  };
}

function assertKnown({ migrations, becketVersion }: BackupManifest, file: string): void {
  const known = new Set(listMigrations(migrationsFolder));
  const unknown = migrations.find((name) => !known.has(name));
  if (unknown === undefined) return;
  throw new BackupError(
    `${file} was made by a newer Becket (${becketVersion}, which has ${unknown}); restore it with that version`,
  );
}

function toNote({ createdAt: backupCreatedAt }: BackupManifest): RestoredNote {
  const now = Date.now();
  const generation = renderGeneration(now, randomBytes(16));
  return { version: 1, generation, backupCreatedAt, restoredAt: new Date(now).toISOString(), isSettled: false };
}

/** The folder's own, where it has one, is what people there use. */
function takeOwnerToken(incomingFolder: string, ownerTokenFile: string): RestoredBackup["ownerToken"] {
  if (existsSync(ownerTokenFile)) return "kept";
  const incoming = path.join(incomingFolder, OWNER_TOKEN);
  if (!existsSync(incoming)) return "none";
  replaceFile(ownerTokenFile, readFileSync(incoming, "utf8"));
  giveToOwnerOf(path.dirname(ownerTokenFile), ownerTokenFile);
  return "restored";
}

/** Ended between the two renames, there is no data, and the incoming folder says why (state-folder.ts). */
function exchange(dataFolder: string, incomingData: string, restoredAt: string): string | null {
  if (!isFilled(dataFolder)) {
    rmSync(dataFolder, { recursive: true, force: true });
    renameSync(incomingData, dataFolder);
    return null;
  }
  const aside = toAside(dataFolder, restoredAt);
  renameSync(dataFolder, aside);
  try {
    renameSync(incomingData, dataFolder);
  } catch (error) {
    renameSync(aside, dataFolder);
    throw error;
  }
  return aside;
}

/** Onto the disk, files before the folders that name them. */
function syncTree(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const entryPath = path.join(folder, entry.name);
    if (entry.isDirectory()) syncTree(entryPath);
    else syncPath(entryPath);
  }
  syncPath(folder);
}

function syncPath(path_: string): void {
  const descriptor = openSync(path_, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const isFilled = (folder: string): boolean => existsSync(folder) && readdirSync(folder).length > 0;
