// The outbox of an object: what it has to tell others, durable together with the change that caused it, delivered in order, at least once.
//
// Invariants: a row goes only after its delivery succeeded; a row that can't be delivered holds up the ones behind it and nothing
// else, and single entries that can't be go to the end and hold up nothing; nothing is written when there is nothing to say. An alarm is
// set with the first row, so that an object that dies between its answer and the delivery goes on.
import type { z } from "zod";
import type { Migration } from "../durable/migrate.ts";
import type { Database } from "../durable/sqlite.ts";
import { type Logger, toErrorFields } from "../log.ts";

export interface Outbox<Entry> {
  /** How many entries are delivered together, and may be enqueued together. */
  readonly maxEntries: number;
  /** Call it in the transaction of the change. */
  enqueue(entries: readonly Entry[], nowMs: number): void;
  /**
   * Delivers what there is, one run at a time. Never rejects: a failure is logged and tried again by alarm, with backoff; until
   * then only that alarm (`isRetry`) tries.
   */
  drain(options?: { isRetry?: boolean }): Promise<void>;
  isEmpty(): boolean;
}

export interface OutboxOptions<Entry> {
  readonly db: Database;
  readonly table: "outbox" | "notices";
  readonly schema: z.ZodType<Entry>;
  readonly maxEntries: number;
  /** Safe to repeat. Answers the entries that could not be delivered, each of which others need not wait for; throws when all have to. */
  readonly deliver: (entries: readonly Entry[]) => Promise<readonly Entry[]>;
  /** Asks for `drain` to be called by this time. */
  readonly scheduleBy: (atMs: number) => void;
  readonly now: () => number;
  readonly log: Logger;
}

/** The delivery starts at once; the alarm is for an object that dies before. */
const SAFETY_ALARM_MS = 15_000;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 5 * 60_000;
/** Of what is delivered together, as JSON: at most 1.5 MB, since D1 takes 2 MB in one value. A single row may be longer. */
const MAX_BATCH_CHARS = 500_000;
/** A row number that is behind all. */
const NONE = Number.MAX_SAFE_INTEGER;

export const createOutboxMigration = (table: "outbox" | "notices"): Migration => ({
  name: `create ${table}`,
  statements: [`CREATE TABLE ${table} (number INTEGER PRIMARY KEY, entries TEXT NOT NULL)`],
});

export function createOutbox<Entry>(options: OutboxOptions<Entry>): Outbox<Entry> {
  const { db, table, maxEntries, deliver, scheduleBy, now, log } = options;
  const entriesSchema = options.schema.array();
  let isRunning = false;
  let latest: Promise<void> = Promise.resolve();
  let failures = 0;
  let retryAt = 0;

  async function run(): Promise<void> {
    // What was put back in this run is for the next one.
    let firstPutBack = NONE;
    try {
      for (let batch = readBatch(NONE); batch.entries.length > 0; batch = readBatch(firstPutBack)) {
        const failed = await deliver(batch.entries);
        firstPutBack = Math.min(firstPutBack, finish(batch, failed));
        if (failed.length === 0) failures = 0;
      }
      if (firstPutBack !== NONE) throw new Error("some entries were not delivered");
      // Without a pause since the last look at the table: a row that comes later finds nothing running and starts anew.
      isRunning = false;
    } catch (error) {
      isRunning = false;
      const delayMs = Math.min(FIRST_RETRY_MS * 2 ** failures, LONGEST_RETRY_MS);
      failures += 1;
      retryAt = now() + delayMs;
      scheduleBy(retryAt);
      log.warn("outbox delivery failed", { table, retryInMs: delayMs, ...toErrorFields(error) });
    }
  }

  /** @returns the number of the row that the failed entries are in now */
  function finish(batch: { readonly lastNumber: number }, failed: readonly Entry[]): number {
    return db.transaction(() => {
      // The new row comes first: SQLite numbers it after the largest that is there.
      const row = failed.length === 0 ? null : insert(failed);
      db.run(`DELETE FROM ${table} WHERE number <= ?`, batch.lastNumber);
      return row?.number ?? NONE;
    });
  }

  const insert = (entries: readonly Entry[]) =>
    db.first<{ number: number }>(`INSERT INTO ${table} (entries) VALUES (?) RETURNING number`, JSON.stringify(entries));

  /** @param before the number of a row that is not for this batch, nor any behind it */
  function readBatch(before: number): { entries: Entry[]; lastNumber: number } {
    const batch = { entries: [] as Entry[], lastNumber: 0 };
    let chars = 0;
    const query = `SELECT number, entries FROM ${table} WHERE number < ? ORDER BY number`;
    for (const row of db.iterate<{ number: number; entries: string }>(query, before)) {
      const entries = entriesSchema.parse(JSON.parse(row.entries));
      chars += row.entries.length;
      const isFull = chars > MAX_BATCH_CHARS || batch.entries.length + entries.length > maxEntries;
      if (isFull && batch.entries.length > 0) break;
      batch.entries.push(...entries);
      batch.lastNumber = row.number;
    }
    return batch;
  }

  return {
    maxEntries,
    enqueue(entries, nowMs) {
      if (entries.length === 0) return;
      insert(entries);
      scheduleBy(nowMs + SAFETY_ALARM_MS);
    },
    drain({ isRetry = false } = {}) {
      if (!isRunning && (isRetry || now() >= retryAt)) {
        isRunning = true;
        latest = run();
      }
      return latest;
    },
    isEmpty: () => db.first(`SELECT 1 AS one FROM ${table} LIMIT 1`) === null,
  };
}
