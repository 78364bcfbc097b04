// Everything that the control plane keeps, as text: what a refused request must leave as it was. But for what time alone changes: alarms that ring,
// and when a machine was seen last.
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { eventually } from "./eventually.ts";

export interface Kept {
  readonly meshIds?: readonly string[];
  readonly machineIds?: readonly string[];
}

export interface KeptRow {
  /** An object's id, or `d1`. */
  readonly owner: string;
  readonly table: string;
  readonly text: string;
}

/** Every row of D1, and of these objects. */
export const dumpState = async (kept: Kept): Promise<string> =>
  (await dumpRows(kept)).map(({ owner, table, text }) => `${owner} ${table} ${text}`).join("\n");

/** After D1 was told what these objects have for it. */
export async function dumpRows(kept: Kept): Promise<KeptRow[]> {
  return eventually(async () => {
    const rows = await readRows(kept);
    const waiting = rows.filter(({ table }) => table === "outbox" || table === "notices");
    if (waiting.length > 0) throw new Error(`${waiting.length} rows wait for D1`);
    return rows;
  }, 20_000);
}

async function readRows({ meshIds = [], machineIds = [] }: Kept): Promise<KeptRow[]> {
  const stubs = [
    ...meshIds.map((id) => [id, env.MESH.getByName(id)] as const),
    ...machineIds.map((id) => [id, env.MACHINE.getByName(id)] as const),
  ];
  const objects = await Promise.all(stubs.map(async ([id, stub]) => [id, await dumpObject(stub)] as const));
  return [["d1", await dumpD1()] as const, ...objects].flatMap(([owner, tables]) =>
    Object.entries(tables).flatMap(([table, rows]) =>
      table === "alarms" ? [] : rows.map((row) => ({ owner, table, text: toText(row) })),
    ),
  );
}

const toText = (row: unknown): string =>
  JSON.stringify(row, (name, value: unknown) => (name === "last_seen_at" ? undefined : value));

const TABLES =
  "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*' AND name NOT GLOB 'sqlite_*' ORDER BY name";

async function dumpD1(): Promise<Record<string, readonly unknown[]>> {
  const tables = (await env.DB.prepare(TABLES).all<{ name: string }>()).results.map(({ name }) => name);
  const rows = await env.DB.batch(tables.map((name) => env.DB.prepare(`SELECT * FROM ${name}`)));
  return Object.fromEntries(tables.map((name, index) => [name, rows[index]?.results ?? []]));
}

const dumpObject = (stub: DurableObjectStub<undefined>): Promise<Record<string, readonly unknown[]>> =>
  runInDurableObject(stub, (_, { storage }) => {
    const tables = storage.sql.exec<{ name: string }>(TABLES).toArray();
    return Object.fromEntries(tables.map(({ name }) => [name, storage.sql.exec(`SELECT * FROM ${name}`).toArray()]));
  });
