import { env } from "cloudflare:workers";
import { getTableConfig } from "drizzle-orm/sqlite-core";
import { describe, expect, it } from "vitest";
import * as tables from "./tables.ts";

const readSchema = async () => {
  const query =
    "SELECT type, name, tbl_name AS tableName, sql FROM sqlite_master WHERE sql IS NOT NULL " +
    "AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_cf_%' AND name NOT LIKE 'd1_%' ORDER BY tbl_name, type DESC, name";
  return (await env.DB.prepare(query).all<{ type: string; name: string; tableName: string; sql: string }>()).results;
};

describe("the migrations together", () => {
  // Not in migrations/: whatever ends in .sql there is taken for a migration.
  it("make what schema.sql says", async () => {
    const text = (await readSchema()).map(({ sql }) => `${sql};\n`).join("\n");
    await expect(text).toMatchFileSnapshot("./schema.sql");
  });

  it("make the tables, columns and indexes of tables.ts", async () => {
    const schema = await readSchema();
    for (const table of Object.values(tables)) {
      const config = getTableConfig(table);
      const columns = (await env.DB.prepare(`PRAGMA table_info(${config.name})`).all<Column>()).results;
      expect(
        columns.map(({ name, type, notnull }) => ({ name, type: type.toLowerCase(), notNull: notnull === 1 })),
      ).toEqual(
        config.columns.map((column) => ({ name: column.name, type: column.getSQLType(), notNull: column.notNull })),
      );
      const indexes = schema.filter(({ type, tableName }) => type === "index" && tableName === config.name);
      expect(indexes.map(({ name }) => name)).toEqual(config.indexes.map((index) => index.config.name).sort());
    }
    expect(schema.filter(({ type }) => type === "table")).toHaveLength(Object.keys(tables).length);
  });
});

describe("each migration", () => {
  it.each(env.TEST_MIGRATIONS)("$name only adds", ({ queries }) => {
    // drizzle-kit rebuilds tables (CREATE __new_…, DROP, RENAME): with cascading children that loses their rows, silently.
    for (const query of queries) {
      expect(query).not.toMatch(/\bdrop\b|__new_|\brename\b|on delete cascade|pragma|\bdelete from\b/i);
    }
  });

  it("has a number of its own, in order", () => {
    const numbers = env.TEST_MIGRATIONS.map(({ name }) => Number(name.slice(0, 4)));
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  });
});

interface Column {
  readonly name: string;
  readonly type: string;
  readonly notnull: number;
}
