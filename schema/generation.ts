// Which life of the control plane's state this is. A state that was restored from a backup has changes behind it that it does not know: machines
// may have seen revisions that it counts anew, and addresses that it gives again. So each restore begins a generation, named by its time.
import { z } from "zod";

/** When the backup was restored, in base 36, and three more characters, so that two restores never have the same name. */
export const Generation = z.string().regex(/^[0-9a-z]{12}$/, "must be 12 characters of 0-9 and a-z");
export type Generation = z.infer<typeof Generation>;

const TIME_LENGTH = 9;
const SUFFIX_LENGTH = 3;

/** @param random at least three bytes */
export function renderGeneration(restoredAtMs: number, random: Uint8Array): Generation {
  const suffix = [...random.subarray(0, SUFFIX_LENGTH)].map((byte) => (byte % 36).toString(36)).join("");
  return restoredAtMs.toString(36).padStart(TIME_LENGTH, "0") + suffix;
}

/** Milliseconds since the epoch. */
export const toRestoredAt = (generation: Generation): number => Number.parseInt(generation.slice(0, TIME_LENGTH), 36);
