// Rows that D1 reads: what Cloudflare bills, and what tells whether the work of a call grows with what is stored.
import { env } from "cloudflare:workers";

/** A D1 whose reads are counted. What is asked by `raw` has no count of its own, so it is asked twice: for reads only. */
export function createCountingD1(binding: D1Database = env.DB) {
  let rowsRead = 0;
  const note = <T extends D1Result<unknown>>(result: T): T => {
    rowsRead += result.meta.rows_read;
    return result;
  };
  const originals = new WeakMap<object, D1PreparedStatement>();

  function count(statement: D1PreparedStatement): D1PreparedStatement {
    const counting = {
      bind: (...values: unknown[]) => count(statement.bind(...values)),
      all: async () => note(await statement.all()),
      run: async () => note(await statement.run()),
      async raw() {
        note(await statement.all());
        return statement.raw();
      },
    } as unknown as D1PreparedStatement;
    originals.set(counting, statement);
    return counting;
  }

  const database = {
    prepare: (query: string) => count(binding.prepare(query)),
    async batch(statements: D1PreparedStatement[]) {
      const results = await binding.batch(statements.map((statement) => originals.get(statement) ?? statement));
      return results.map(note);
    },
  } as unknown as D1Database;

  return {
    database,
    /** Of what `act` asks. */
    async measure(act: () => Promise<unknown>): Promise<number> {
      const before = rowsRead;
      await act();
      return rowsRead - before;
    },
  };
}
