// What is known on disk about each lab of this host: /run/becket-lab/<id>/lab.json. It lets other processes find a lab
// (the command line) and lets the next run find what a killed one left.
//
// Invariant: the record exists before the first process of its lab and is removed after the last.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { z } from "zod";
import { withLock } from "./system/lock.ts";
import { isAlive, killLabProcesses, readIdentity } from "./system/proc.ts";

const LABS_FOLDER = "/run/becket-lab";
const LOCK = "becket-lab";
/** Mount points that machines need on the host's file tree; each machine mounts its own folder there. */
export const MOUNT_POINTS = ["/var/lib/becket", "/run/becket", "/run/wireguard"] as const;
const MADE_MOUNT_POINTS = path.join(LABS_FOLDER, "made-mount-points.json");

const Identity = z.object({ pid: z.number().int(), startTime: z.string() });

const LabRecord = z.object({
  id: z.string().regex(/^[a-z0-9]+$/),
  name: z.string().nullable(),
  /** The process that takes the lab down when it ends; null: it stays until somebody takes it down. */
  owner: Identity.nullable(),
  createdAt: z.string(),
  nodes: z.array(
    z.object({
      name: z.string(),
      role: z.enum(["internet", "control", "stun", "router", "machine"]),
      lan: z.string().nullable(),
      ipv4: z.string().nullable(),
      ipv6: z.string().nullable(),
      holder: Identity,
    }),
  ),
});
export type LabRecord = z.infer<typeof LabRecord>;

export function labFolder(id: string): string {
  return path.join(LABS_FOLDER, id);
}

/** Cleans what dead owners left, then writes the record of a new lab. */
export function registerLab(record: LabRecord): Promise<void> {
  return withLock(LOCK, () => {
    cleanLeftoversLocked();
    if (record.name !== null && readLabs().some((lab) => lab.name === record.name))
      throw new Error(`there is a lab named ${record.name} already`);
    mkdirSync(labFolder(record.id), { recursive: true, mode: 0o755 });
    writeRecord(record);
    makeMountPoints();
  });
}

export function writeRecord(record: LabRecord): void {
  const file = path.join(labFolder(record.id), "lab.json");
  writeFileSync(`${file}.new`, JSON.stringify(record));
  renameSync(`${file}.new`, file);
}

/** All labs of this host, oldest first; folders without a readable record (leftovers) are left out. */
export function readLabs(): LabRecord[] {
  return listFolders()
    .map(readRecord)
    .filter((record) => record !== null)
    .toSorted((a, b) => a.createdAt.localeCompare(b.createdAt));
}

/** Ends everything in the lab and forgets it. */
export function removeLab(id: string): Promise<void> {
  return withLock(LOCK, () => {
    removeLabNow(id);
    removeMountPointsIfUnused();
  });
}

/** The part that an exit handler can do: it is synchronous and takes no lock. Empty mount points stay for the next run. */
export function removeLabNow(id: string): void {
  killLabProcesses(id, labFolder(id));
  rmSync(labFolder(id), { recursive: true, force: true });
}

/** Removes labs whose owner is dead, and such without owner whose namespaces are gone (a reboot). Returns their ids. */
export function cleanLeftovers(): Promise<string[]> {
  return withLock(LOCK, () => {
    const removed = cleanLeftoversLocked();
    removeMountPointsIfUnused();
    return removed;
  });
}

function cleanLeftoversLocked(): string[] {
  const leftovers = listFolders().filter((id) => {
    const record = readRecord(id);
    if (record === null) return true;
    if (record.owner !== null) return !isAlive(record.owner);
    return !record.nodes.some((node) => isAlive(node.holder));
  });
  return leftovers.filter((id) => {
    try {
      removeLabNow(id);
      return true;
    } catch (error) {
      // One that resists must not keep everybody from making labs; the next run tries again.
      process.stderr.write(`lab ${id} could not be cleaned: ${String(error)}\n`);
      return false;
    }
  });
}

function listFolders(): string[] {
  if (!existsSync(LABS_FOLDER)) return [];
  return readdirSync(LABS_FOLDER, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
}

function readRecord(id: string): LabRecord | null {
  try {
    return LabRecord.parse(JSON.parse(readFileSync(path.join(labFolder(id), "lab.json"), "utf8")));
  } catch {
    return null; // Written by another version, or half removed: nobody can use such a lab.
  }
}

export function ownIdentity(): z.infer<typeof Identity> {
  const identity = readIdentity(process.pid);
  if (!identity) throw new Error("can't read this process's own entry in /proc");
  return identity;
}

function makeMountPoints(): void {
  const made = new Set(readMadeMountPoints());
  for (const folder of MOUNT_POINTS) {
    if (existsSync(folder)) continue;
    mkdirSync(folder, { recursive: true });
    made.add(folder);
  }
  writeFileSync(MADE_MOUNT_POINTS, JSON.stringify([...made]));
}

/** Removing a mount point would unmount it in the machines of other labs, so only the last lab does it. */
function removeMountPointsIfUnused(): void {
  if (!existsSync(LABS_FOLDER) || listFolders().length > 0) return;
  for (const folder of readMadeMountPoints()) removeEmptyFolder(folder);
  rmSync(MADE_MOUNT_POINTS, { force: true });
  removeEmptyFolder(LABS_FOLDER);
}

function readMadeMountPoints(): string[] {
  if (!existsSync(MADE_MOUNT_POINTS)) return [];
  return z.array(z.enum(MOUNT_POINTS)).parse(JSON.parse(readFileSync(MADE_MOUNT_POINTS, "utf8")));
}

function removeEmptyFolder(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Somebody else put something there, or took it away: either way it is not the lab's any more.
  }
}
