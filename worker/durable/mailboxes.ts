// Messages for machines that poll, kept for the moment between two polls. In memory, and bounded: who does not fetch them loses the oldest.
import { MAX_BATCH_MESSAGES } from "#schema/wire/messages";

export interface Mailboxes<Id extends string> {
  put(machineId: Id, text: string): void;
  /** All that is there, oldest first, which is then gone. */
  take(machineId: Id): readonly string[];
  forget(machineId: Id): void;
}

/** The rest of a poll's answer is for a snapshot and changes. */
const MAX_MESSAGES = MAX_BATCH_MESSAGES / 2;
const MAX_CHARACTERS = 64 * 1024;

export function createMailboxes<Id extends string>(): Mailboxes<Id> {
  const boxes = new Map<Id, string[]>();
  const isTooFull = (box: readonly string[]) =>
    box.length > MAX_MESSAGES || box.reduce((length, text) => length + text.length, 0) > MAX_CHARACTERS;
  return {
    put(machineId, text) {
      const box = [...(boxes.get(machineId) ?? []), text];
      while (isTooFull(box)) box.shift();
      boxes.set(machineId, box);
    },
    take(machineId) {
      const box = boxes.get(machineId) ?? [];
      boxes.delete(machineId);
      return box;
    },
    forget: (machineId) => void boxes.delete(machineId),
  };
}
