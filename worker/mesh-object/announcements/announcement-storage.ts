// Routes and VIPs in the object's SQLite, by id, by name, by prefix and by machine.
import { z } from "zod";
import { HealthCheck } from "#schema/health-check";
import type { MachineId } from "#schema/ids";
import type { Prefix } from "#schema/prefix";
import type { Migration } from "../../durable/migrate.ts";
import type { Database } from "../../durable/sqlite.ts";
import type { AnnouncementKind, AnnouncementRecord } from "./announcement.ts";

export const ANNOUNCEMENTS_MIGRATION: Migration = {
  name: "create announcements",
  statements: [
    `CREATE TABLE announcements (
      id TEXT PRIMARY KEY,
      -- 'route' or 'vip'
      kind TEXT NOT NULL,
      name TEXT NOT NULL,
      -- JSON arrays
      prefixes TEXT NOT NULL,
      machine_ids TEXT NOT NULL,
      is_enabled INTEGER NOT NULL,
      is_masquerading INTEGER NOT NULL,
      allows_default_route INTEGER NOT NULL,
      -- JSON of HealthCheck
      health_check TEXT,
      created_at INTEGER NOT NULL,
      -- of the last change that members see; 0: they were never told
      revision INTEGER NOT NULL
    ) WITHOUT ROWID`,
    "CREATE UNIQUE INDEX announcements_name ON announcements (kind, name)",
    "CREATE INDEX announcements_revision ON announcements (revision)",
    // A prefix is in one announcement at most.
    "CREATE TABLE announced_prefixes (prefix TEXT PRIMARY KEY, announcement_id TEXT NOT NULL) WITHOUT ROWID",
    `CREATE TABLE announcers (
      machine_id TEXT NOT NULL,
      announcement_id TEXT NOT NULL,
      PRIMARY KEY (machine_id, announcement_id)
    ) WITHOUT ROWID`,
    // When what a member itself has to announce changed last
    "CREATE TABLE duties (machine_id TEXT PRIMARY KEY, revision INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE INDEX duties_revision ON duties (revision)",
    // machine_id is the id of whatever went: kind is 'member' or 'announcement'
    "ALTER TABLE tombstones ADD COLUMN kind TEXT NOT NULL DEFAULT 'member'",
  ],
};

export interface AnnouncementStorage {
  read(id: string): AnnouncementRecord | null;
  findByName(kind: AnnouncementKind, name: string): AnnouncementRecord | null;
  /** Which one has exactly this prefix. */
  findByPrefix(prefix: Prefix): AnnouncementRecord | null;
  count(kind: AnnouncementKind): number;
  /** In order of ids. */
  list(kind: AnnouncementKind, page: { after: string | null; limit: number }): AnnouncementRecord[];
  /** Of each, who is to hold it: without its prefixes, which may be many. */
  listHolders(): Pick<AnnouncementRecord, "kind" | "machineIds" | "isEnabled">[];
  /** Those of a machine, in order of ids. */
  listOf(machineId: MachineId): AnnouncementRecord[];
  listIdsOf(machineId: MachineId): AnnouncementRecord["id"][];
  /** Those whose rows changed after `revision`. */
  listSince(revision: number): AnnouncementRecord[];
  /** Puts `after` in the place of `before`. Null before: a new one; null after: it goes. */
  replace(before: AnnouncementRecord | null, after: AnnouncementRecord | null): void;
  /** When the machine's duties, or its policies, changed last; 0: never. */
  readDutyRevision(machineId: MachineId): number;
  listDutiesSince(revision: number): { readonly machineId: MachineId; readonly revision: number }[];
  writeDutyRevision(machineId: MachineId, revision: number): void;
  forgetDuties(machineId: MachineId): void;
}

type Row = {
  id: AnnouncementRecord["id"];
  kind: AnnouncementKind;
  name: string;
  prefixes: string;
  machine_ids: string;
  is_enabled: number;
  is_masquerading: number;
  allows_default_route: number;
  health_check: string | null;
  created_at: number;
  revision: number;
};

export function createAnnouncementStorage(db: Database): AnnouncementStorage {
  const first = (query: string, ...bindings: string[]) => {
    const row = db.first<Row>(query, ...bindings);
    return row === null ? null : toRecord(row);
  };

  function write(record: AnnouncementRecord): void {
    db.run(
      `INSERT INTO announcements VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
        name = excluded.name, prefixes = excluded.prefixes, machine_ids = excluded.machine_ids,
        is_enabled = excluded.is_enabled, is_masquerading = excluded.is_masquerading,
        allows_default_route = excluded.allows_default_route, health_check = excluded.health_check,
        revision = excluded.revision`,
      ...[record.id, record.kind, record.name, JSON.stringify(record.prefixes), JSON.stringify(record.machineIds)],
      ...[Number(record.isEnabled), Number(record.isMasquerading), Number(record.allowsDefaultRoute)],
      ...[record.healthCheck === null ? null : JSON.stringify(record.healthCheck), record.createdAt, record.revision],
    );
  }

  return {
    read: (id) => first("SELECT * FROM announcements WHERE id = ?", id),
    findByName: (kind, name) => first("SELECT * FROM announcements WHERE kind = ? AND name = ?", kind, name),
    findByPrefix: (prefix) =>
      first(
        `SELECT announcements.* FROM announced_prefixes JOIN announcements ON id = announcement_id WHERE prefix = ?`,
        prefix,
      ),
    count: (kind) =>
      db.first<{ count: number }>("SELECT count(*) AS count FROM announcements WHERE kind = ?", kind)?.count ?? 0,
    list: (kind, { after, limit }) =>
      db
        .all<Row>("SELECT * FROM announcements WHERE id > ? AND kind = ? ORDER BY id LIMIT ?", after ?? "", kind, limit)
        .map(toRecord),
    listHolders: () =>
      db
        .all<Pick<Row, "kind" | "machine_ids" | "is_enabled">>(
          "SELECT kind, machine_ids, is_enabled FROM announcements",
        )
        .map(({ kind, machine_ids, is_enabled }) => ({
          ...{ kind, machineIds: parseTexts<MachineId>(machine_ids), isEnabled: is_enabled === 1 },
        })),
    listOf: (machineId) =>
      db
        .all<Row>(
          "SELECT announcements.* FROM announcers JOIN announcements ON id = announcement_id WHERE machine_id = ? ORDER BY id",
          machineId,
        )
        .map(toRecord),
    listIdsOf: (machineId) =>
      db
        .all<{ id: AnnouncementRecord["id"] }>(
          "SELECT announcement_id AS id FROM announcers WHERE machine_id = ?",
          machineId,
        )
        .map(({ id }) => id),
    listSince: (revision) =>
      db.all<Row>("SELECT * FROM announcements WHERE revision > ? ORDER BY revision", revision).map(toRecord),

    replace(before, after) {
      const id = (after ?? before)?.id ?? "";
      for (const prefix of listMissing(before?.prefixes, after?.prefixes)) {
        db.run("DELETE FROM announced_prefixes WHERE prefix = ?", prefix);
      }
      for (const machineId of listMissing(before?.machineIds, after?.machineIds)) {
        db.run("DELETE FROM announcers WHERE machine_id = ? AND announcement_id = ?", machineId, id);
      }
      if (after === null) db.run("DELETE FROM announcements WHERE id = ?", id);
      else write(after);
      for (const prefix of listMissing(after?.prefixes, before?.prefixes)) {
        db.run("INSERT INTO announced_prefixes VALUES (?, ?)", prefix, id);
      }
      for (const machineId of listMissing(after?.machineIds, before?.machineIds)) {
        db.run("INSERT INTO announcers VALUES (?, ?)", machineId, id);
      }
    },

    readDutyRevision: (machineId) =>
      db.first<{ revision: number }>("SELECT revision FROM duties WHERE machine_id = ?", machineId)?.revision ?? 0,
    listDutiesSince: (revision) =>
      db
        .all<{ machine_id: MachineId; revision: number }>("SELECT * FROM duties WHERE revision > ?", revision)
        .map((row) => ({ machineId: row.machine_id, revision: row.revision })),
    writeDutyRevision: (machineId, revision) =>
      db.run(
        "INSERT INTO duties VALUES (?, ?) ON CONFLICT DO UPDATE SET revision = excluded.revision",
        machineId,
        revision,
      ),
    forgetDuties: (machineId) => db.run("DELETE FROM duties WHERE machine_id = ?", machineId),
  };
}

/** What of `wanted` is not in `present`. */
function listMissing<T>(wanted: readonly T[] = [], present: readonly T[] = []): T[] {
  const there = new Set(present);
  return wanted.filter((item) => !there.has(item));
}

// Each was parsed when it came; there may be thousands of prefixes.
const Texts = z.array(z.string());
const parseTexts = <T extends string>(text: string): T[] => Texts.parse(JSON.parse(text)) as T[];

const toRecord = (row: Row): AnnouncementRecord => ({
  id: row.id,
  kind: row.kind,
  name: row.name,
  prefixes: parseTexts<Prefix>(row.prefixes),
  machineIds: parseTexts<MachineId>(row.machine_ids),
  isEnabled: row.is_enabled === 1,
  isMasquerading: row.is_masquerading === 1,
  allowsDefaultRoute: row.allows_default_route === 1,
  healthCheck: row.health_check === null ? null : HealthCheck.parse(JSON.parse(row.health_check)),
  createdAt: row.created_at,
  revision: row.revision,
});
