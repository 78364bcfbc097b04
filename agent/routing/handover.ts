// What a machine was told to announce no more, while others announce it on. For a moment it still does, as the last choice, and others still take it
// from it: the others may not be ready yet, and hear of it at another time.
import type { AnnouncementRow } from "#schema/desired-state";
import type { MeshId } from "#schema/ids";
import { createLinger } from "../reconcile/linger.ts";
import type { Clock } from "../system/clock.ts";

export interface Handover {
  /** Rows with the machines that leave, and of the prefixes only those which are announced on. The same list for the same list, while it holds. */
  leaving(meshId: MeshId, announcements: readonly AnnouncementRow[]): readonly AnnouncementRow[];
  forget(meshId: MeshId): void;
  stop(): void;
}

/** BGP takes a second to tell of the others on a busy machine. What forwards the packets goes on for longer: agent/control/mesh-devices.ts. */
const LEAVING_MS = 5_000;

/** @param onOver something has left: `leaving` says something else. */
export function createHandover(clock: Pick<Clock, "now" | "setTimer">, onOver: () => void): Handover {
  const rows = createLinger<AnnouncementRow>({
    ...{ clock, lingerMs: LEAVING_MS, onOver },
    toId: (row) => JSON.stringify(row),
  });
  const known = new Map<
    MeshId,
    { readonly extended: readonly AnnouncementRow[]; readonly leaving: AnnouncementRow[] }
  >();
  return {
    leaving(meshId, announcements) {
      const extended = rows.extend(meshId, announcements);
      const before = known.get(meshId);
      if (before?.extended === extended) return before.leaving;
      const leaving = extended === announcements ? [] : toLeaving(announcements, extended.slice(announcements.length));
      known.set(meshId, { extended, leaving });
      return leaving;
    },
    forget(meshId) {
      rows.forget(meshId);
      known.delete(meshId);
    },
    stop: () => rows.stop(),
  };
}

/** Of rows that went, what others announce now. What nobody announces any more is gone at once. */
export function toLeaving(now: readonly AnnouncementRow[], gone: readonly AnnouncementRow[]): AnnouncementRow[] {
  const rows = new Map(now.map((row) => [row.id, row]));
  const leaving = new Map<string, AnnouncementRow>();
  for (const { id, prefixes, machineIds } of gone) {
    const next = rows.get(id);
    if (next === undefined || next.machineIds.length === 0) continue;
    const [stay, kept] = [new Set(next.machineIds), new Set(next.prefixes)];
    const left = machineIds.filter((machineId) => !stay.has(machineId));
    const on = prefixes.filter((prefix) => kept.has(prefix));
    if (left.length === 0 || on.length === 0) continue;
    // A row that changed several times in these seconds went as often.
    const key = JSON.stringify([id, on]);
    const others = leaving.get(key)?.machineIds ?? [];
    leaving.set(key, { id, prefixes: on, machineIds: [...new Set([...others, ...left])] });
  }
  return [...leaving.values()];
}

/** The same rows, with the machines that leave among those that announce. */
export function withLeaving(
  rows: readonly AnnouncementRow[],
  leaving: readonly AnnouncementRow[],
): readonly AnnouncementRow[] {
  if (leaving.length === 0) return rows;
  const machines = new Map<string, Set<AnnouncementRow["machineIds"][number]>>();
  for (const { id, machineIds } of leaving) {
    const known = machines.get(id) ?? new Set();
    for (const machineId of machineIds) known.add(machineId);
    machines.set(id, known);
  }
  return rows.map((row) => {
    const more = machines.get(row.id);
    return more === undefined ? row : { ...row, machineIds: [...row.machineIds, ...more] };
  });
}
