// Changes of links, as members told them: the newest of a mesh, bounded by age and by count. Rows are only added at the end and dropped at
// the beginning, so keeping the bounds needs no scan.
import type { MachineId } from "#schema/ids";
import { LINK_EVENT_DAYS, MAX_LINK_EVENTS } from "#schema/limits";
import type { LinkReport } from "#schema/path";
import type { Migration } from "../durable/migrate.ts";
import type { Database } from "../durable/sqlite.ts";
import type { LinkEventPosition, PositionedLinkEvent } from "./rpc.ts";

export const LINK_EVENTS_MIGRATION: Migration = {
  name: "create link events",
  statements: [
    `CREATE TABLE link_events (
      number INTEGER PRIMARY KEY,
      machine_id TEXT NOT NULL,
      peer_id TEXT NOT NULL,
      kind TEXT NOT NULL,
      path TEXT NOT NULL,
      endpoint TEXT,
      reason_code TEXT NOT NULL,
      reason_message TEXT NOT NULL,
      -- by this object's clock; never less than that of the row before
      at INTEGER NOT NULL,
      -- by the machine's clock
      reported_at INTEGER NOT NULL
    )`,
    // Also in order of the number, which SQLite puts at the end of every index.
    "CREATE INDEX link_events_machine_id ON link_events (machine_id, at)",
  ],
};

export interface LinkEvents {
  add(machineId: MachineId, reports: readonly LinkReport[], nowMs: number): void;
  /** Newest first, older than `before`. */
  list(
    machineId: MachineId,
    page: { readonly before: LinkEventPosition | null; readonly limit: number; readonly nowMs: number },
  ): PositionedLinkEvent[];
}

export interface LinkEventBounds {
  readonly maxEvents: number;
  readonly maxAgeMs: number;
}
const BOUNDS: LinkEventBounds = { maxEvents: MAX_LINK_EVENTS, maxAgeMs: LINK_EVENT_DAYS * 24 * 3_600_000 };

/** A reason is a sentence or two. */
const MAX_MESSAGE_LENGTH = 500;
/** More than one row that is too old goes for each new one, so that old ones become fewer. */
const OLD_ROWS_PER_NEW_ROW = 2;

type Row = {
  number: number;
  peer_id: MachineId;
  peer_name: string | null;
  kind: LinkReport["kind"];
  path: LinkReport["path"];
  endpoint: LinkReport["endpoint"];
  reason_code: LinkReport["reason"]["code"];
  reason_message: string;
  at: number;
  reported_at: number;
};

export function createLinkEvents(db: Database, { maxEvents, maxAgeMs }: LinkEventBounds = BOUNDS): LinkEvents {
  const readNewest = () =>
    db.first<{ number: number; at: number }>("SELECT number, at FROM link_events ORDER BY number DESC LIMIT 1");

  function insert(machineId: MachineId, { peerId, kind, path, endpoint, reason, at }: LinkReport, atMs: number): void {
    db.run(
      `INSERT INTO link_events (machine_id, peer_id, kind, path, endpoint, reason_code, reason_message, at, reported_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[machineId, peerId, kind, path, endpoint, reason.code, reason.message.slice(0, MAX_MESSAGE_LENGTH)],
      ...[atMs, Date.parse(at)],
    );
  }

  function prune(newCount: number, atMs: number): void {
    db.run("DELETE FROM link_events WHERE number <= ?", (readNewest()?.number ?? 0) - maxEvents);
    db.run(
      "DELETE FROM link_events WHERE at < ? AND number IN (SELECT number FROM link_events ORDER BY number LIMIT ?)",
      ...[atMs - maxAgeMs, newCount * OLD_ROWS_PER_NEW_ROW],
    );
  }

  return {
    add(machineId, reports, nowMs) {
      if (reports.length === 0) return;
      db.transaction(() => {
        const atMs = Math.max(nowMs, readNewest()?.at ?? 0);
        for (const report of reports) insert(machineId, report, atMs);
        prune(reports.length, atMs);
      });
    },
    list(machineId, { before, limit, nowMs }) {
      const { at, number } = before ?? { at: Number.MAX_SAFE_INTEGER, number: 0 };
      const rows = db.all<Row>(
        `SELECT link_events.*, members.name AS peer_name FROM link_events
          LEFT JOIN members ON members.machine_id = link_events.peer_id
          WHERE link_events.machine_id = ? AND at >= ? AND (at, number) < (?, ?)
          ORDER BY at DESC, number DESC LIMIT ?`,
        ...[machineId, nowMs - maxAgeMs, at, number, limit],
      );
      return rows.map(toPositioned);
    },
  };
}

const toPositioned = (row: Row): PositionedLinkEvent => ({
  position: { at: row.at, number: row.number },
  event: toLinkEvent(row),
});

const toLinkEvent = (row: Row): PositionedLinkEvent["event"] => ({
  peerId: row.peer_id,
  peerName: row.peer_name,
  kind: row.kind,
  path: row.path,
  endpoint: row.endpoint,
  reason: { code: row.reason_code, message: row.reason_message },
  at: new Date(row.at).toISOString(),
  reportedAt: new Date(row.reported_at).toISOString(),
});
