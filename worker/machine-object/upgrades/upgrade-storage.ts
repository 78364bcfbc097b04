// The order that a machine is to carry out, if any: one row.
import type { RolloutId } from "#schema/ids";
import type { BuildSha256 } from "#schema/machine";
import type { Migration } from "../../durable/migrate.ts";
import type { Database } from "../../durable/sqlite.ts";

export interface UpgradeOrderRecord {
  readonly rolloutId: RolloutId;
  readonly sha256: BuildSha256;
  /** claiming: the roll-out may have given the turn or not; ordered: the machine is told; done: it runs the build, and may still go back. */
  readonly state: "claiming" | "ordered" | "done";
  /** claiming: when it is claimed again; ordered: when it has failed; done: when it is forgotten. */
  readonly dueAt: number;
}

export interface UpgradeStorage {
  read(): UpgradeOrderRecord | null;
  write(order: UpgradeOrderRecord): void;
  clear(): void;
}

type Row = { rollout_id: RolloutId; sha256: BuildSha256; state: UpgradeOrderRecord["state"]; due_at: number };

export const UPGRADE_MIGRATION: Migration = {
  name: "create upgrade orders",
  statements: [
    `CREATE TABLE upgrade_orders (
      one INTEGER PRIMARY KEY CHECK (one = 1),
      rollout_id TEXT NOT NULL,
      sha256 TEXT NOT NULL,
      -- claiming: the roll-out may have given the turn or not; ordered: the machine is told
      state TEXT NOT NULL,
      due_at INTEGER NOT NULL
    )`,
  ],
};

/** To be used once the object has its tables. */
export const createUpgradeStorage = (db: Database): UpgradeStorage => ({
  read() {
    const row = db.first<Row>("SELECT * FROM upgrade_orders");
    return row && { rolloutId: row.rollout_id, sha256: row.sha256, state: row.state, dueAt: row.due_at };
  },
  write: ({ rolloutId, sha256, state, dueAt }) =>
    db.run("INSERT OR REPLACE INTO upgrade_orders VALUES (1, ?, ?, ?, ?)", rolloutId, sha256, state, dueAt),
  clear: () => db.run("DELETE FROM upgrade_orders"),
});
