// One alarm per object is all the platform gives (Durable Objects docs, "Alarms"), so it is multiplexed by name: the earliest
// name's time is the object's alarm. A name that is already due earlier writes nothing, so a burst of changes costs one row.
import type { Migration } from "./migrate.ts";
import type { Database } from "./sqlite.ts";

export const ALARMS_MIGRATION: Migration = {
  name: "create alarms",
  statements: ["CREATE TABLE alarms (name TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID"],
};

export interface Alarms<Name extends string> {
  /** Wakes the object for `name` at `atMs` or before. */
  scheduleBy(name: Name, atMs: number): void;
  /** The names that are due, which are thereby done with; the next one is set. Call it first in `alarm()`. */
  takeDue(nowMs: number): Name[];
  /**
   * Sets the object's alarm if the table has a name and the platform lost the alarm for it (it gives one up after six failures); else
   * writes nothing. Call it when the object starts: a name in the table keeps `scheduleBy` from setting the alarm again.
   */
  restore(): Promise<void>;
}

export function createAlarms<Name extends string>(
  db: Database,
  storage: Pick<DurableObjectStorage, "setAlarm" | "getAlarm">,
): Alarms<Name> {
  // What is in the table, so that a name that is set already costs nothing at all.
  const planned = new Map<Name, number>();
  db.onRollback(() => planned.clear());
  const readPlanned = (name: Name) =>
    planned.get(name) ?? db.first<{ at: number }>("SELECT at FROM alarms WHERE name = ?", name)?.at ?? null;
  const readEarliest = () => db.first<{ at: number | null }>("SELECT min(at) AS at FROM alarms")?.at ?? null;
  // Not awaited: the call is part of the writes around it and is committed with them.
  const setTo = (atMs: number) => void storage.setAlarm(atMs);

  return {
    scheduleBy(name, atMs) {
      const plannedAt = readPlanned(name);
      if (plannedAt !== null && plannedAt <= atMs) {
        planned.set(name, plannedAt);
        return;
      }
      const earliest = readEarliest();
      db.run("INSERT INTO alarms VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET at = excluded.at", name, atMs);
      planned.set(name, atMs);
      if (earliest === null || atMs < earliest) setTo(atMs);
    },
    takeDue(nowMs) {
      // The alarm rang, so the earliest is due, whatever this object's clock says.
      const until = Math.max(nowMs, readEarliest() ?? nowMs);
      planned.clear();
      const due = db.all<{ name: Name }>("DELETE FROM alarms WHERE at <= ? RETURNING name", until);
      const next = readEarliest();
      if (next !== null) setTo(next);
      return due.map(({ name }) => name);
    },
    async restore() {
      const earliest = readEarliest();
      if (earliest === null) return;
      const setFor = await storage.getAlarm();
      if (setFor === null || setFor > earliest) setTo(earliest);
    },
  };
}
