// What members told of the checks of what they announce. A row is written when a check turns, never because time passes; rows of what a
// member has to announce no more are of no meaning, and go with its next connection.
import { z } from "zod";
import { CheckState } from "#schema/announcement-state";
import type { AnnouncementId } from "#schema/desired-state";
import type { MachineId } from "#schema/ids";
import type { ChecksReport } from "#schema/wire/messages";
import type { Migration } from "../../durable/migrate.ts";
import type { Database } from "../../durable/sqlite.ts";

export const CHECK_STATES_MIGRATION: Migration = {
  name: "create check states",
  statements: [
    `CREATE TABLE check_states (
      machine_id TEXT NOT NULL,
      announcement_id TEXT NOT NULL,
      status TEXT NOT NULL,
      -- milliseconds since the epoch, by the member's clock
      since INTEGER NOT NULL,
      -- what the check found
      text TEXT,
      PRIMARY KEY (machine_id, announcement_id)
    ) WITHOUT ROWID`,
  ],
};

export interface KeptCheck extends Pick<CheckState, "status" | "text"> {
  readonly sinceMs: number;
}
/** Of one machine. */
export type ChecksOf = ReadonlyMap<AnnouncementId, KeptCheck>;

export interface CheckStates {
  /** Takes what a member tells of these of its announcements; answers which of them are others than before. */
  take(machineId: MachineId, report: Pick<ChecksReport, "checks" | "isAll">): AnnouncementId[];
  of(machineId: MachineId): ChecksOf;
  forget(machineId: MachineId): void;
  forgetAnnouncement(announcementId: AnnouncementId): void;
}

type Row = { machine_id: string; announcement_id: AnnouncementId; status: string; since: number; text: string | null };
/** Enough to say what is wrong. */
const MAX_KEPT_TEXT_LENGTH = 200;
/** A member's clock may be set a little. */
const SAME_MOMENT_MS = 5_000;
const Status = z.object({ status: CheckState.shape.status });

export function createCheckStates(db: Database): CheckStates {
  const read = (machineId: MachineId, announcementId: AnnouncementId): Row | null =>
    db.first<Row>("SELECT * FROM check_states WHERE machine_id = ? AND announcement_id = ?", machineId, announcementId);

  const listOf = (machineId: MachineId): Row[] =>
    db.all<Row>("SELECT * FROM check_states WHERE machine_id = ?", machineId);

  function write(machineId: MachineId, { id, status, since, text }: CheckState): boolean {
    const before = read(machineId, id);
    const sinceMs = Date.parse(since);
    const kept = text?.slice(0, MAX_KEPT_TEXT_LENGTH) ?? null;
    const isSame = before?.status === status && before.text === kept;
    if (isSame && Math.abs(before.since - sinceMs) < SAME_MOMENT_MS) return false;
    db.run(
      `INSERT INTO check_states VALUES (?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET status = excluded.status, since = excluded.since, text = excluded.text`,
      ...[machineId, id, status, sinceMs, kept],
    );
    return true;
  }

  function dropOthers(machineId: MachineId, told: ReadonlySet<AnnouncementId>): AnnouncementId[] {
    const gone = listOf(machineId)
      .map((row) => row.announcement_id)
      .filter((id) => !told.has(id));
    for (const id of gone) {
      db.run("DELETE FROM check_states WHERE machine_id = ? AND announcement_id = ?", machineId, id);
    }
    return gone;
  }

  return {
    take(machineId, { checks, isAll }) {
      const gone = isAll ? dropOthers(machineId, new Set(checks.map(({ id }) => id))) : [];
      return [...gone, ...checks.flatMap((check) => (write(machineId, check) ? [check.id] : []))];
    },
    of: (machineId) =>
      new Map(
        listOf(machineId).map((row) => [
          row.announcement_id,
          { ...Status.parse(row), sinceMs: row.since, text: row.text },
        ]),
      ),
    forget: (machineId) => db.run("DELETE FROM check_states WHERE machine_id = ?", machineId),
    // Seldom, so that no index has to be written with each row.
    forgetAnnouncement: (announcementId) =>
      db.run("DELETE FROM check_states WHERE announcement_id = ?", announcementId),
  };
}
