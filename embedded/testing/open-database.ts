import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { MigratedDatabase } from "../apply-migrations.ts";

interface Statement {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

/**
 * D1 by SQLite.
 * @param failAfter how many statements batches may run before the process dies in one
 */
export function openDatabase(database: DatabaseSync, failAfter = Number.POSITIVE_INFINITY): MigratedDatabase {
  let count = 0;
  const prepare = (sql: string, values: readonly SQLInputValue[] = []) => ({
    ...{ sql, values },
    bind: (...bound: unknown[]) => prepare(sql, bound as SQLInputValue[]),
    all: async <Row>() => ({ results: database.prepare(sql).all(...values) as Row[] }),
  });
  return {
    exec: async (sql) => database.exec(sql),
    prepare,
    async batch(statements) {
      database.exec("BEGIN");
      try {
        for (const { sql, values } of statements as unknown as Statement[]) {
          if (count++ >= failAfter) throw new Error("killed");
          database.prepare(sql).run(...values);
        }
        database.exec("COMMIT");
      } catch (error) {
        database.exec("ROLLBACK");
        throw error;
      }
    },
  };
}
