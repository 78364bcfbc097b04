// The tables of a machine, append-only (see durable/migrate.ts).
import { ALARMS_MIGRATION } from "../durable/alarms.ts";
import type { Migration } from "../durable/migrate.ts";
import { createOutboxMigration } from "../outbox/outbox.ts";
import { UPGRADE_MIGRATION } from "./upgrades/upgrade-storage.ts";

export const MACHINE_MIGRATIONS: readonly Migration[] = [
  {
    name: "create machine",
    statements: [
      `CREATE TABLE machine (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        id TEXT NOT NULL,
        name TEXT NOT NULL,
        identity_key TEXT NOT NULL,
        agent TEXT NOT NULL,
        -- counts the changes of the name and of the meshes it is in
        revision INTEGER NOT NULL,
        removed_at INTEGER,
        -- when its connection closed
        last_seen_at INTEGER
      )`,
      `CREATE TABLE meshes (
        mesh_id TEXT PRIMARY KEY,
        -- joining: the mesh may know of it or not; joined; leaving: the mesh may still know of it
        state TEXT NOT NULL,
        cidr TEXT NOT NULL,
        -- null until joined
        mesh_name TEXT,
        requested_address TEXT,
        -- JSON: who asked for the join or the leaving that is going on
        cause TEXT NOT NULL,
        -- the machine's name as the mesh was told it
        told_name TEXT NOT NULL
      ) WITHOUT ROWID`,
    ],
  },
  createOutboxMigration("outbox"),
  ALARMS_MIGRATION,
  {
    name: "add gateways",
    statements: [
      "ALTER TABLE machine ADD COLUMN is_gateway INTEGER NOT NULL DEFAULT 0",
      // as the mesh was told it
      "ALTER TABLE meshes ADD COLUMN told_gateway INTEGER NOT NULL DEFAULT 0",
    ],
  },
  {
    name: "add replacements of keys",
    statements: [
      // keys made before this are to be replaced; null: nobody asked for it
      "ALTER TABLE machine ADD COLUMN keys_made_before INTEGER",
      "ALTER TABLE machine ADD COLUMN is_key_replacement_forced INTEGER NOT NULL DEFAULT 0",
    ],
  },
  UPGRADE_MIGRATION,
  {
    name: "add ages of identity keys",
    // 0: longer than anybody asked for
    statements: ["ALTER TABLE machine ADD COLUMN identity_key_since INTEGER NOT NULL DEFAULT 0"],
  },
];
