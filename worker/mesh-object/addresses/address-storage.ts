// The address pool's storage in the object's SQLite.
import type { Migration } from "../../durable/migrate.ts";
import type { Database } from "../../durable/sqlite.ts";
import type { AddressStorage } from "./addresses.ts";

export const ADDRESSES_MIGRATION: Migration = {
  name: "create addresses",
  statements: [
    "CREATE TABLE free_ranges (last INTEGER PRIMARY KEY, first INTEGER NOT NULL)",
    "CREATE TABLE quarantined (host INTEGER PRIMARY KEY, until INTEGER NOT NULL)",
    "CREATE INDEX quarantined_by_until ON quarantined (until, host)",
  ],
};

type FreeRow = { first: number; last: number };
type QuarantinedRow = { host: number; until: number };

export function createAddressStorage(db: Database): AddressStorage {
  return {
    readFreeFrom: (host) =>
      db.first<FreeRow>("SELECT first, last FROM free_ranges WHERE last >= ? ORDER BY last LIMIT 1", host),
    readLastFree: () => db.first<FreeRow>("SELECT first, last FROM free_ranges ORDER BY last DESC LIMIT 1"),
    readFreeEndingAt: (last) => db.first<FreeRow>("SELECT first, last FROM free_ranges WHERE last = ?", last),
    putFree: ({ first, last }) =>
      db.run(
        "INSERT INTO free_ranges (last, first) VALUES (?, ?) ON CONFLICT (last) DO UPDATE SET first = excluded.first",
        last,
        first,
      ),
    deleteFree: (last) => db.run("DELETE FROM free_ranges WHERE last = ?", last),
    readQuarantined: (host) => db.first<QuarantinedRow>("SELECT host, until FROM quarantined WHERE host = ?", host),
    readOldestQuarantined: () =>
      db.first<QuarantinedRow>("SELECT host, until FROM quarantined ORDER BY until, host LIMIT 1"),
    putQuarantined: ({ host, until }) => db.run("INSERT INTO quarantined VALUES (?, ?)", host, until),
    deleteQuarantined: (host) => db.run("DELETE FROM quarantined WHERE host = ?", host),
  };
}
