// Changes of links, as members told them: the newest, bounded by age, and by count for each member and for the mesh. Whoever tells much loses
// its own oldest first. What there is is counted once in the life of the object and then kept in mind, so keeping the bounds needs no scan.
import type { MachineId } from "#schema/ids";
import { LINK_EVENT_DAYS, MAX_LINK_EVENTS, MAX_MEMBER_LINK_EVENTS } from "#schema/limits";
import type { LinkReport } from "#schema/path";
import type { Migration } from "../../durable/migrate.ts";
import { createRateLimiter } from "../../durable/rate-limiter.ts";
import type { Database } from "../../durable/sqlite.ts";
import type { LinkEventPosition, PositionedLinkEvent } from "../rpc.ts";
import { createIndirectLinks, type IndirectLinks } from "./indirect-links.ts";

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
  /** False when the member has told more than it may for now: each row is paid for. */
  isAllowed(machineId: MachineId, nowMs: number): boolean;
  add(machineId: MachineId, reports: readonly LinkReport[], nowMs: number): void;
  /** Newest first, older than `before`. */
  list(
    machineId: MachineId,
    page: { readonly before: LinkEventPosition | null; readonly limit: number; readonly nowMs: number },
  ): PositionedLinkEvent[];
  /** Of pairs of these machines, as they told last. */
  countIndirect: IndirectLinks["count"];
}

export interface LinkEventBounds {
  readonly maxEvents: number;
  readonly maxMemberEvents: number;
  readonly maxAgeMs: number;
}
const BOUNDS: LinkEventBounds = {
  maxEvents: MAX_LINK_EVENTS,
  maxMemberEvents: MAX_MEMBER_LINK_EVENTS,
  maxAgeMs: LINK_EVENT_DAYS * 24 * 3_600_000,
};
const HOUR_MS = 3_600_000;
/** When its network changes, the links to all its peers change, some of them more than once. */
const MEMBER_EVENTS_AN_HOUR = 512;

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

export function createLinkEvents(db: Database, bounds: LinkEventBounds = BOUNDS): LinkEvents {
  const { maxEvents, maxMemberEvents, maxAgeMs } = bounds;
  const limiter = createRateLimiter({
    burst: MEMBER_EVENTS_AN_HOUR,
    perSecond: (MEMBER_EVENTS_AN_HOUR / HOUR_MS) * 1_000,
  });
  /** Rows of each member that told something in this life of the object, and of the mesh; null: not counted yet. */
  const countOf = new Map<MachineId, number>();
  let countOfAll: number | null = null;
  const indirect = createIndirectLinks(db);
  db.onRollback(() => {
    countOf.clear();
    countOfAll = null;
    indirect.forget();
  });

  const readNewest = () =>
    db.first<{ number: number; at: number }>("SELECT number, at FROM link_events ORDER BY number DESC LIMIT 1");

  /** What it told before the object slept counts too: else a member that lets it sleep could tell more. */
  function know(machineId: MachineId, nowMs: number): void {
    if (countOf.has(machineId)) return;
    const known = db.first<{ count: number; recent: number }>(
      "SELECT count(*) AS count, coalesce(sum(at > ?), 0) AS recent FROM link_events WHERE machine_id = ?",
      ...[nowMs - HOUR_MS, machineId],
    );
    countOf.set(machineId, known?.count ?? 0);
    for (let index = 0; index < (known?.recent ?? 0); index++) limiter.take(machineId, nowMs);
  }

  /** Counted only when there may be too many: there are at most as many as numbers were given. */
  function countAll(): number {
    if (countOfAll !== null) return countOfAll;
    const oldest = db.first<{ number: number }>("SELECT number FROM link_events ORDER BY number LIMIT 1")?.number ?? 0;
    const given = (readNewest()?.number ?? 0) - oldest + 1;
    if (given <= maxEvents) return given;
    countOfAll = db.first<{ count: number }>("SELECT count(*) AS count FROM link_events")?.count ?? 0;
    return countOfAll;
  }

  function note(machineId: MachineId, difference: number): void {
    const count = countOf.get(machineId);
    if (count !== undefined) countOf.set(machineId, count + difference);
    if (countOfAll !== null) countOfAll += difference;
  }

  function insert(machineId: MachineId, { peerId, kind, path, endpoint, reason, at }: LinkReport, atMs: number): void {
    db.run(
      `INSERT INTO link_events (machine_id, peer_id, kind, path, endpoint, reason_code, reason_message, at, reported_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[machineId, peerId, kind, path, endpoint, reason.code, reason.message.slice(0, MAX_MESSAGE_LENGTH)],
      ...[atMs, Date.parse(at)],
    );
    note(machineId, 1);
  }

  function drop(condition: string, ...bindings: (string | number)[]): void {
    const query = `DELETE FROM link_events WHERE ${condition} RETURNING machine_id`;
    for (const row of db.all<{ machine_id: MachineId }>(query, ...bindings)) note(row.machine_id, -1);
  }

  function prune(machineId: MachineId, newCount: number, atMs: number): void {
    const oldest = "number IN (SELECT number FROM link_events ORDER BY number LIMIT ?)";
    drop(`at < ? AND ${oldest}`, atMs - maxAgeMs, newCount * OLD_ROWS_PER_NEW_ROW);
    const ownExcess = (countOf.get(machineId) ?? 0) - maxMemberEvents;
    const ownOldest = "number IN (SELECT number FROM link_events WHERE machine_id = ? ORDER BY at, number LIMIT ?)";
    if (ownExcess > 0) drop(ownOldest, machineId, ownExcess);
    const excess = countAll() - maxEvents;
    if (excess > 0) drop(oldest, excess);
  }

  return {
    isAllowed(machineId, nowMs) {
      know(machineId, nowMs);
      return limiter.take(machineId, nowMs);
    },
    add(machineId, reports, nowMs) {
      if (reports.length === 0) return;
      know(machineId, nowMs);
      db.transaction(() => {
        const atMs = Math.max(nowMs, readNewest()?.at ?? 0);
        for (const report of reports) insert(machineId, report, atMs);
        prune(machineId, reports.length, atMs);
      });
      indirect.note(machineId, reports);
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
    countIndirect: indirect.count,
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
