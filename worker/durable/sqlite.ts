// An object's SQLite, narrowed to what the objects use. Every statement's rows are counted, because rows are what Cloudflare bills
// and what tells whether the work of a change grows with the mesh.

export type SqlValue = string | number | null;
export type SqlRow = Record<string, SqlValue>;

export interface Database {
  all<Row extends SqlRow>(query: string, ...bindings: SqlValue[]): Row[];
  first<Row extends SqlRow>(query: string, ...bindings: SqlValue[]): Row | null;
  /** Row by row: those that are not asked for are not read. Nothing else may be done with the database meanwhile. */
  iterate<Row extends SqlRow>(query: string, ...bindings: SqlValue[]): Iterable<Row>;
  run(query: string, ...bindings: SqlValue[]): void;
  /** All or nothing: what throws inside is undone. */
  transaction<T>(closure: () => T): T;
  /** Called when a transaction was undone: whoever keeps a copy of rows in memory drops it. */
  onRollback(listener: () => void): void;
  /** Since this instance of the object started. */
  readonly work: { readonly rowsRead: number; readonly rowsWritten: number };
}

export function createDatabase(storage: Pick<DurableObjectStorage, "sql" | "transactionSync">): Database {
  const work = { rowsRead: 0, rowsWritten: 0 };
  const rollbackListeners: (() => void)[] = [];
  const count = (cursor: SqlStorageCursor<SqlRow>) => {
    work.rowsRead += cursor.rowsRead;
    work.rowsWritten += cursor.rowsWritten;
  };
  function all<Row extends SqlRow>(query: string, ...bindings: SqlValue[]): Row[] {
    const cursor = storage.sql.exec<Row>(query, ...bindings);
    const rows = cursor.toArray();
    count(cursor);
    return rows;
  }
  return {
    all,
    first: <Row extends SqlRow>(query: string, ...bindings: SqlValue[]) => all<Row>(query, ...bindings)[0] ?? null,
    *iterate<Row extends SqlRow>(query: string, ...bindings: SqlValue[]) {
      const cursor = storage.sql.exec<Row>(query, ...bindings);
      try {
        yield* cursor;
      } finally {
        count(cursor);
      }
    },
    run: (query, ...bindings) => count(storage.sql.exec(query, ...bindings)),
    transaction(closure) {
      try {
        return storage.transactionSync(closure);
      } catch (error) {
        for (const listener of rollbackListeners) listener();
        throw error;
      }
    },
    onRollback: (listener) => void rollbackListeners.push(listener),
    work,
  };
}
