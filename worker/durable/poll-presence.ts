// When machines that poll were last seen. In memory: a machine that polls keeps its object awake.
import { ONLINE_WITHIN_MS } from "#schema/limits";

export interface PollPresence<Id extends string> {
  heard(machineId: Id): void;
  /** Milliseconds since the epoch; null when it does not poll. */
  lastSeenAt(machineId: Id): number | null;
  forget(machineId: Id): void;
  machineIds(): Iterable<Id>;
}

/** @param onGone a machine was not heard from for as long as makes it offline: its polling is over */
export function createPollPresence<Id extends string>(options: {
  now: () => number;
  onGone: (machineId: Id, lastSeenAt: number) => void;
}): PollPresence<Id> {
  const { now, onGone } = options;
  const heardAt = new Map<Id, number>();

  // A machine that polls says nothing when it leaves, so one timer per machine looks for it.
  function watch(machineId: Id, delayMs: number): void {
    setTimeout(() => {
      const at = heardAt.get(machineId);
      if (at === undefined) return;
      const silentMs = now() - at;
      if (silentMs < ONLINE_WITHIN_MS) return watch(machineId, ONLINE_WITHIN_MS - silentMs);
      heardAt.delete(machineId);
      onGone(machineId, at);
    }, delayMs);
  }

  return {
    heard(machineId) {
      const isNew = !heardAt.has(machineId);
      heardAt.set(machineId, now());
      if (isNew) watch(machineId, ONLINE_WITHIN_MS);
    },
    lastSeenAt: (machineId) => heardAt.get(machineId) ?? null,
    forget: (machineId) => void heardAt.delete(machineId),
    machineIds: () => heardAt.keys(),
  };
}
