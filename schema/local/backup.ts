// What a backup of the one-box control plane holds beside the data, and what its commands say to the control plane that runs.
import { z } from "zod";
import { Generation } from "../generation.ts";
import { Timestamp } from "../timestamp.ts";

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** manifest.json, the archive's first file. */
export const BackupManifest = z.object({
  /** Of this format. A reader refuses what it does not know. */
  format: z.literal(1),
  becketVersion: z.string(),
  /** When the state was as it is in here. */
  createdAt: Timestamp,
  /** D1's migrations that were begun: whoever does not know them all is older than this backup. */
  migrations: z.array(z.string()),
  /** By path inside the archive: every file but this one. */
  files: z.record(z.string(), z.object({ bytes: z.number().int().nonnegative(), sha256: Sha256 })),
});
export type BackupManifest = z.infer<typeof BackupManifest>;

/** data/restored.json: where a restored state comes from. */
export const RestoredNote = z.object({
  version: z.literal(1),
  generation: Generation,
  backupCreatedAt: Timestamp,
  restoredAt: Timestamp,
  /** What may have been used up since the backup is void. */
  isSettled: z.boolean(),
});
export type RestoredNote = z.infer<typeof RestoredNote>;

/** The first line of the answer to `POST /copies` on the state folder's socket, which has no end. */
export const StateCopy = z.object({
  /** Holds the copy, for as long as whoever asked keeps the connection. */
  folder: z.string(),
  copiedAt: Timestamp,
  /** For how long nothing was answered. */
  frozenMs: z.number().nonnegative(),
});
export type StateCopy = z.infer<typeof StateCopy>;

export const StateCopyFailure = z.object({ message: z.string() });
