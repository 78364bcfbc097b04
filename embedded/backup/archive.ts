// The file of a backup: a gzipped tar of manifest.json, data/ and, where it was asked for, owner-token. Every file's hash is in the manifest.
import { createHash } from "node:crypto";
import {
  createReadStream,
  createWriteStream,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { create, extract, list } from "tar";
import { BackupManifest } from "#schema/local/backup";
import { BackupError } from "./backup-error.ts";

const MANIFEST = "manifest.json";
export const DATA = "data";
export const OWNER_TOKEN = "owner-token";

/** Packs what is in `folder`. The archive is the owner's alone from its first byte, and there in whole or not at all only once it is renamed. */
export async function writeArchive(
  file: string,
  { folder, manifest }: { folder: string; manifest: Omit<BackupManifest, "files"> },
): Promise<BackupManifest> {
  const full: BackupManifest = { ...manifest, files: await hashFiles(folder) };
  writeFileSync(path.join(folder, MANIFEST), JSON.stringify(full, null, 2));
  const entries = [MANIFEST, ...readdirSync(folder).filter((name) => name !== MANIFEST)];
  try {
    const packed = create({ gzip: true, cwd: folder, portable: true }, entries);
    await pipeline(packed, createWriteStream(file, { flags: "wx", mode: 0o600 }));
    const handle = await open(file, "r");
    await handle.sync().finally(() => handle.close());
    await assertWhole(file, full);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") rmSync(file, { force: true });
    throw error;
  }
  return full;
}

/** tar leaves out what is gone when it gets there. A start empties the folder that the copy is in, so it may be. */
async function assertWhole(file: string, { files }: BackupManifest): Promise<void> {
  const packed = new Map<string, number>();
  await list({ file, onReadEntry: ({ path: name, size }) => packed.set(name, size) });
  const missing = Object.entries(files).find(([name, { bytes }]) => packed.get(name) !== bytes);
  if (missing === undefined) return;
  throw new BackupError(
    `${missing[0]} went while it was packed, as when the control plane is restarted; back up again`,
  );
}

/** Unpacks into an empty folder and checks it against its manifest. Nothing but plain files of a backup leaves the archive. */
export async function readArchive(file: string, folder: string): Promise<BackupManifest> {
  const foreign: string[] = [];
  try {
    await extract({
      file,
      cwd: folder,
      strict: true,
      preserveOwner: false,
      dmode: 0o700,
      fmode: 0o600,
      filter(name, entry) {
        const isWanted = "type" in entry && isOfBackup(name) && (entry.type === "File" || entry.type === "Directory");
        if (!isWanted) foreign.push(name);
        return isWanted;
      },
    });
  } catch (error) {
    throw new BackupError(`${file} can't be read as a backup: ${(error as Error).message}`, { cause: error });
  }
  if (foreign.length > 0) throw new BackupError(`${file} is no backup: it holds ${foreign[0]}`);
  const manifest = readManifest(file, path.join(folder, MANIFEST));
  compareFiles(file, manifest, await hashFiles(folder));
  return manifest;
}

function readManifest(file: string, manifestFile: string): BackupManifest {
  let input: unknown;
  try {
    input = JSON.parse(readFileSync(manifestFile, "utf8"));
  } catch (error) {
    throw new BackupError(`${file} is no backup: it has no ${MANIFEST}`, { cause: error });
  }
  const manifest = BackupManifest.safeParse(input);
  if (manifest.success) return manifest.data;
  throw new BackupError(`${file} is a backup of another version, or none: ${manifest.error.issues[0]?.message}`);
}

function compareFiles(file: string, { files }: BackupManifest, found: BackupManifest["files"]): void {
  for (const [name, { sha256 }] of Object.entries(files)) {
    if (found[name] === undefined) throw new BackupError(`${file} is not whole: ${name} is missing`);
    if (found[name].sha256 !== sha256) throw new BackupError(`${file} is damaged: ${name} is not what was backed up`);
  }
  const added = Object.keys(found).find((name) => files[name] === undefined);
  if (added !== undefined) throw new BackupError(`${file} was changed: ${added} was not backed up`);
}

async function hashFiles(folder: string): Promise<BackupManifest["files"]> {
  const files: BackupManifest["files"] = {};
  for (const name of listFiles(folder)) {
    const hash = createHash("sha256");
    await pipeline(createReadStream(path.join(folder, name)), hash);
    files[name] = { bytes: statSync(path.join(folder, name)).size, sha256: hash.digest("hex") };
  }
  return files;
}

/** By their paths inside of `folder`, without the manifest. */
export const listFiles = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .filter((name) => name !== MANIFEST)
    .sort();

const isOfBackup = (name: string): boolean => name === MANIFEST || name === OWNER_TOKEN || /^data(\/|$)/.test(name);
