import { env } from "cloudflare:workers";
import { createDatabase } from "../db/database.ts";

/** D1, and the rows that batches read there. */
export function createCountedDatabase() {
  const work = { rowsRead: 0 };
  const counted = {
    prepare: (query: string) => env.DB.prepare(query),
    async batch(statements: D1PreparedStatement[]) {
      const results = await env.DB.batch(statements);
      for (const { meta } of results) work.rowsRead += meta.rows_read;
      return results;
    },
  };
  return { db: createDatabase(counted as unknown as D1Database), work };
}
