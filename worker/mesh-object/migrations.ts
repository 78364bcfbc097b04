// The tables of a mesh, append-only (see durable/migrate.ts). INTEGER PRIMARY KEYs and WITHOUT ROWID tables, so that a row is one row written.
import { ALARMS_MIGRATION } from "../durable/alarms.ts";
import type { Migration } from "../durable/migrate.ts";
import { createOutboxMigration } from "../outbox/outbox.ts";
import { ADDRESSES_MIGRATION } from "./addresses/address-storage.ts";
import { ANNOUNCEMENTS_MIGRATION } from "./announcements/announcement-storage.ts";
import { CHECK_STATES_MIGRATION } from "./announcements/check-states.ts";
import { LINK_EVENTS_MIGRATION } from "./links/link-events.ts";
import { POLICIES_MIGRATION } from "./policies/policy-storage.ts";
import { RELAY_TICKET_AGES_MIGRATION, RELAY_TICKETS_MIGRATION } from "./signals/relay-tickets.ts";
import { TRANSIT_WISHES_MIGRATION, TRANSITS_MIGRATION } from "./signals/transits.ts";

export const MESH_MIGRATIONS: readonly Migration[] = [
  {
    name: "create mesh",
    statements: [
      `CREATE TABLE mesh (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        id TEXT NOT NULL,
        name TEXT NOT NULL,
        cidr TEXT NOT NULL,
        cidr6 TEXT NOT NULL,
        asn INTEGER NOT NULL,
        epoch TEXT NOT NULL,
        -- counts every change
        revision INTEGER NOT NULL,
        -- the newest change that members see
        visible_revision INTEGER NOT NULL,
        settings_revision INTEGER NOT NULL,
        -- the newest tombstone that was dropped: older positions need a snapshot
        forgotten_revision INTEGER NOT NULL,
        tombstone_count INTEGER NOT NULL,
        member_count INTEGER NOT NULL,
        closed_at INTEGER
      )`,
    ],
  },
  {
    name: "create members",
    statements: [
      `CREATE TABLE members (
        machine_id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        host INTEGER NOT NULL,
        address TEXT NOT NULL,
        address6 TEXT NOT NULL,
        -- null until its first hello; until then nobody else sees it
        public_key TEXT,
        candidates TEXT NOT NULL,
        -- of its last change
        revision INTEGER NOT NULL,
        joined_at INTEGER NOT NULL,
        -- when its connection closed
        last_seen_at INTEGER
      ) WITHOUT ROWID`,
      // The pool never gives an address twice; this makes it impossible.
      "CREATE UNIQUE INDEX members_host ON members (host)",
      "CREATE UNIQUE INDEX members_public_key ON members (public_key) WHERE public_key IS NOT NULL",
      "CREATE INDEX members_revision ON members (revision) WHERE public_key IS NOT NULL",
      "CREATE TABLE tombstones (revision INTEGER PRIMARY KEY, machine_id TEXT NOT NULL)",
    ],
  },
  ADDRESSES_MIGRATION,
  createOutboxMigration("outbox"),
  createOutboxMigration("notices"),
  ALARMS_MIGRATION,
  { name: "add device epochs", statements: ["ALTER TABLE members ADD COLUMN device_epoch TEXT"] },
  {
    name: "add what paths need",
    statements: [
      "ALTER TABLE mesh ADD COLUMN fallback TEXT NOT NULL DEFAULT 'relay'",
      // JSON of NatSummary; null until the member told it
      "ALTER TABLE members ADD COLUMN nat TEXT",
      "ALTER TABLE members ADD COLUMN answers_checks INTEGER NOT NULL DEFAULT 1",
      "ALTER TABLE members ADD COLUMN is_gateway INTEGER NOT NULL DEFAULT 0",
    ],
  },
  LINK_EVENTS_MIGRATION,
  TRANSITS_MIGRATION,
  RELAY_TICKETS_MIGRATION,
  TRANSIT_WISHES_MIGRATION,
  ANNOUNCEMENTS_MIGRATION,
  {
    name: "add route reflector mode",
    statements: [
      "ALTER TABLE mesh ADD COLUMN route_reflector_mode INTEGER NOT NULL DEFAULT 0",
      "CREATE INDEX members_gateways ON members (machine_id) WHERE is_gateway = 1",
    ],
  },
  POLICIES_MIGRATION,
  CHECK_STATES_MIGRATION,
  {
    name: "add ages of keys",
    statements: [
      "ALTER TABLE mesh ADD COLUMN key_rotation_days INTEGER",
      // when it told of its key; null while it has none
      "ALTER TABLE members ADD COLUMN key_since INTEGER",
      "UPDATE members SET key_since = joined_at WHERE public_key IS NOT NULL",
    ],
  },
  RELAY_TICKET_AGES_MIGRATION,
];
