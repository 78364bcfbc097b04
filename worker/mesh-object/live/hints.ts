// What changed since it was told last: each resource once, with the machines that it is about. Pure.
import type { MachineId } from "#schema/ids";
import type { LiveChange, LiveResource } from "#schema/live/messages";
import { MAX_NAMED_MACHINES } from "#schema/live/pace";

export interface Hints {
  /** @param machineId whom it is about; null: about no one machine */
  add(resource: LiveResource, machineId: MachineId | null): void;
  /** All that was added, which is thereby forgotten. */
  take(): LiveChange[];
}

export function createHints(): Hints {
  /** Null: about too many machines to name, or about none in particular. */
  const changed = new Map<LiveResource, Set<MachineId> | null>();
  return {
    add(resource, machineId) {
      const known = changed.get(resource);
      if (known === null) return;
      const named = known ?? new Set();
      if (machineId !== null) named.add(machineId);
      changed.set(resource, machineId === null || named.size > MAX_NAMED_MACHINES ? null : named);
    },
    take() {
      const changes = [...changed].map(([resource, named]) => ({
        resource,
        machineIds: named === null ? null : [...named],
      }));
      changed.clear();
      return changes;
    },
  };
}
