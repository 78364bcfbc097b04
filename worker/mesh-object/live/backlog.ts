// What was sent to a watcher and may still be on its way. workerd tells nothing of what waits in a WebSocket, so the watcher says how far it has
// seen, by a mark that it can't know otherwise; beyond these bounds it gets no more until it has. Pure.
import { MAX_UNSEEN_CHARACTERS, MAX_UNSEEN_FRAMES } from "#schema/live/pace";

/** Of all watchers of an object, which has 128 MB for everything. */
export const MAX_UNSEEN_OF_ALL = 32_000_000;
/** Of one person or token, so that one who reads nothing leaves room for others. */
export const MAX_UNSEEN_OF_ONE = 8_000_000;

/** What all watchers of an object have not seen, in characters. */
export interface UnseenSum {
  add(actor: string, characters: number): void;
  isFull(actor: string): boolean;
}

export function createUnseenSum(): UnseenSum {
  const byActor = new Map<string, number>();
  let all = 0;
  return {
    add(actor, characters) {
      all += characters;
      const ofActor = (byActor.get(actor) ?? 0) + characters;
      if (ofActor === 0) byActor.delete(actor);
      else byActor.set(actor, ofActor);
    },
    isFull: (actor) => all >= MAX_UNSEEN_OF_ALL || (byActor.get(actor) ?? 0) >= MAX_UNSEEN_OF_ONE,
  };
}

/** All that was not seen, as one frame: its end is seen last. */
export interface Unseen {
  readonly mark: string;
  readonly characters: number;
}

export interface Backlog {
  sent(mark: string, characters: number): void;
  /** @param mark of the newest frame that was seen, and so were those before; any other says nothing */
  seen(mark: string): void;
  isFull(): boolean;
  /** Null: everything was seen. */
  unseen(): Unseen | null;
  /** The socket is gone, and what waited in it. */
  drop(): void;
}

/** @param carried what was not seen when the object fell asleep */
export function createBacklog(actor: string, sum: UnseenSum, carried: Unseen | null = null): Backlog {
  /** The oldest first. */
  let frames: readonly Unseen[] = [];
  let characters = 0;

  function sent(mark: string, length: number): void {
    frames = [...frames, { mark, characters: length }];
    characters += length;
    sum.add(actor, length);
  }
  function forget(count: number): void {
    const length = frames.slice(0, count).reduce((total, frame) => total + frame.characters, 0);
    frames = frames.slice(count);
    characters -= length;
    sum.add(actor, -length);
  }

  if (carried !== null) sent(carried.mark, carried.characters);
  return {
    sent,
    seen: (mark) => forget(frames.findIndex((frame) => frame.mark === mark) + 1),
    isFull: () => frames.length >= MAX_UNSEEN_FRAMES || characters >= MAX_UNSEEN_CHARACTERS || sum.isFull(actor),
    unseen() {
      const newest = frames.at(-1);
      return newest === undefined ? null : { mark: newest.mark, characters };
    },
    drop: () => forget(frames.length),
  };
}
