// What was sent to a watcher and may still be on its way. workerd tells nothing of what waits in a WebSocket, so the watcher says how much it
// has seen; beyond these bounds it gets no more until it has. Pure.
import { MAX_UNSEEN_FRAMES } from "#schema/live/pace";

/** About as much as one machine of 500 peers tells between two times that a watcher says what it saw. */
export const MAX_UNSEEN_CHARACTERS = 2_000_000;

export interface Backlog {
  sent(text: string): void;
  /** @param count of all frames on this connection, also of those that were sent before the object slept */
  seen(count: number): void;
  isFull(): boolean;
}

export function createBacklog(): Backlog {
  /** Of frames that were not seen, the oldest first. */
  let lengths: number[] = [];
  let seenCount = 0;
  return {
    sent: (text) => void lengths.push(text.length),
    seen(count) {
      lengths = lengths.slice(Math.max(0, count - seenCount));
      seenCount = Math.max(seenCount, count);
    },
    isFull: () =>
      lengths.length >= MAX_UNSEEN_FRAMES || lengths.reduce((sum, length) => sum + length, 0) >= MAX_UNSEEN_CHARACTERS,
  };
}
