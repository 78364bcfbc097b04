// The policies of a mesh's members, and whether a change of policies is expected. What the mesh itself uses is among its settings.
import type { MachineId } from "#schema/ids";
import { NO_POLICIES, Policies } from "#schema/policy";
import type { Migration } from "../../durable/migrate.ts";
import type { Database } from "../../durable/sqlite.ts";

export const POLICIES_MIGRATION: Migration = {
  name: "add policies",
  statements: [
    // JSON of Policies; null: none
    "ALTER TABLE mesh ADD COLUMN policies TEXT",
    "ALTER TABLE members ADD COLUMN policies TEXT",
    "CREATE INDEX members_policies ON members (machine_id) WHERE policies IS NOT NULL",
    "CREATE TABLE expected_policies (one INTEGER PRIMARY KEY CHECK (one = 1), since INTEGER NOT NULL)",
  ],
};

export interface PolicyStorage {
  /** None where it is no member. */
  readOf(machineId: MachineId): Policies;
  /** Members that have any. */
  list(): ReadonlyMap<MachineId, Policies>;
  write(machineId: MachineId, policies: Policies): void;
  /** When a change was announced last; null: never. */
  readExpectedSince(): number | null;
  writeExpectedSince(atMs: number): void;
}

export function createPolicyStorage(db: Database): PolicyStorage {
  type Row = { machine_id: MachineId; policies: string };
  return {
    readOf: (machineId) =>
      parsePolicies(
        db.first<{ policies: string | null }>("SELECT policies FROM members WHERE machine_id = ?", machineId)?.policies,
      ),
    list: () =>
      new Map(
        db
          .all<Row>("SELECT machine_id, policies FROM members WHERE policies IS NOT NULL")
          .map((row) => [row.machine_id, parsePolicies(row.policies)]),
      ),
    write: (machineId, policies) =>
      db.run("UPDATE members SET policies = ? WHERE machine_id = ?", renderPolicies(policies), machineId),
    readExpectedSince: () => db.first<{ since: number }>("SELECT since FROM expected_policies")?.since ?? null,
    writeExpectedSince: (atMs) =>
      db.run("INSERT INTO expected_policies VALUES (1, ?) ON CONFLICT DO UPDATE SET since = excluded.since", atMs),
  };
}

export const parsePolicies = (text: string | null | undefined): Policies =>
  text == null ? NO_POLICIES : Policies.parse(JSON.parse(text));

export const renderPolicies = (policies: Policies): string | null =>
  policies.import === null && policies.export === null ? null : JSON.stringify(policies);
