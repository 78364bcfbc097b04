// When each copy of a message is passed on. Pure.
import type { Random } from "../random.ts";

const REPEATED = 0.3;
const HELD_BACK = 0.3;
const LONGEST_MS = 400;

/** Delays in ms, one for each copy. What a connection begins with stays what it begins with. */
export function planCopies(type: string | null, random: Random): number[] {
  if (type === null || !type.startsWith("sync.") || type === "sync.hello") return [0];
  const late = () => Math.round(random() * LONGEST_MS);
  return [random() < HELD_BACK ? late() : 0, ...(random() < REPEATED ? [late()] : [])];
}
