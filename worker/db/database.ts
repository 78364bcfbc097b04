import type { BatchItem } from "drizzle-orm/batch";
import { type DrizzleD1Database, drizzle } from "drizzle-orm/d1";

export type Database = DrizzleD1Database;
/** A statement for `runBatch`. */
export type Statement = BatchItem<"sqlite">;

export const createDatabase = (binding: D1Database): Database => drizzle(binding);

/** Runs the statements in one transaction, in order: all or none (D1 has no interactive transactions). */
export async function runBatch(db: Database, statements: readonly Statement[]): Promise<void> {
  const [first, ...rest] = statements;
  if (first !== undefined) await db.batch([first, ...rest]);
}
