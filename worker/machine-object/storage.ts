// What a machine's object keeps. The only user of the object's storage, together with the outbox's and the alarms' tables.
import { z } from "zod";
import type { Ipv4 } from "#schema/address";
import { Actor } from "#schema/api/audit-events";
import type { IdentityPublicKey, MachineId, MeshId } from "#schema/ids";
import { AgentInfo } from "#schema/machine";
import { isMigrated, migrate } from "../durable/migrate.ts";
import type { Database } from "../durable/sqlite.ts";
import type { Cause } from "../outbox/cause.ts";
import { MACHINE_MIGRATIONS } from "./migrations.ts";
import type { KeyOrder } from "./rpc.ts";

export interface MachineRecord {
  readonly id: MachineId;
  readonly name: string;
  readonly identityKey: IdentityPublicKey;
  /** Milliseconds since the epoch. */
  readonly identityKeySince: number;
  /** Null when it was removed before it was registered. */
  readonly agent: AgentInfo | null;
  /** Counts the changes that the machine is told. */
  readonly revision: number;
  readonly removedAt: number | null;
  readonly lastSeenAt: number | null;
  readonly isGateway: boolean;
  /** Null: nobody asked for new keys. */
  readonly keyOrder: KeyOrder | null;
}

export interface MeshEntry {
  readonly meshId: MeshId;
  readonly state: "joining" | "joined" | "leaving";
  readonly cidr: string;
  /** As it was when the machine joined (null until then): good enough to list; the mesh itself tells its members the newest. */
  readonly meshName: string | null;
  readonly requestedAddress: Ipv4 | null;
  readonly cause: Cause;
  /** As the mesh was told them. */
  readonly toldName: string;
  readonly toldGateway: boolean;
}

export interface MachineStorage {
  /** Null when it was never registered. */
  readMachine(): MachineRecord | null;
  /** Makes the tables too: an object that holds no machine has stored nothing. */
  insertMachine(machine: MachineRecord): void;
  writeMachine(machine: MachineRecord): void;
  readMesh(meshId: MeshId): MeshEntry | null;
  readMeshes(): MeshEntry[];
  putMesh(entry: MeshEntry): void;
  deleteMesh(meshId: MeshId): void;
  transaction<T>(closure: () => T): T;
}

type MachineRow = {
  id: MachineId;
  name: string;
  identity_key: IdentityPublicKey;
  agent: string;
  revision: number;
  removed_at: number | null;
  last_seen_at: number | null;
  is_gateway: number;
  keys_made_before: number | null;
  is_key_replacement_forced: number;
  identity_key_since: number;
};
type MeshRow = {
  mesh_id: MeshId;
  state: MeshEntry["state"];
  cidr: string;
  mesh_name: string | null;
  requested_address: Ipv4 | null;
  cause: string;
  told_name: string;
  told_gateway: number;
};

const StoredCause = z.object({ actor: Actor, requestId: z.string() });

export function createMachineStorage(db: Database): MachineStorage {
  let hasTables = isMigrated(db);
  if (hasTables) migrate(db, MACHINE_MIGRATIONS);
  db.onRollback(() => {
    hasTables = isMigrated(db);
  });

  return {
    readMachine() {
      const row = hasTables ? db.first<MachineRow>("SELECT * FROM machine") : null;
      return row === null ? null : toMachineRecord(row);
    },
    insertMachine(machine) {
      migrate(db, MACHINE_MIGRATIONS);
      hasTables = true;
      db.run(
        "INSERT INTO machine VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        ...[machine.id, machine.name, machine.identityKey, JSON.stringify(machine.agent), machine.revision],
        ...[machine.removedAt, machine.lastSeenAt, Number(machine.isGateway), ...renderKeyOrder(machine.keyOrder)],
        machine.identityKeySince,
      );
    },
    writeMachine: (machine) =>
      db.run(
        `UPDATE machine SET name = ?, agent = ?, revision = ?, removed_at = ?, last_seen_at = ?, is_gateway = ?,
          keys_made_before = ?, is_key_replacement_forced = ?, identity_key = ?, identity_key_since = ?`,
        ...[machine.name, JSON.stringify(machine.agent), machine.revision, machine.removedAt, machine.lastSeenAt],
        ...[Number(machine.isGateway), ...renderKeyOrder(machine.keyOrder)],
        ...[machine.identityKey, machine.identityKeySince],
      ),
    readMesh(meshId) {
      const row = hasTables ? db.first<MeshRow>("SELECT * FROM meshes WHERE mesh_id = ?", meshId) : null;
      return row === null ? null : toMeshEntry(row);
    },
    readMeshes: () => (hasTables ? db.all<MeshRow>("SELECT * FROM meshes ORDER BY mesh_id").map(toMeshEntry) : []),
    putMesh: (entry) =>
      db.run(
        "INSERT OR REPLACE INTO meshes VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        ...[entry.meshId, entry.state, entry.cidr, entry.meshName, entry.requestedAddress],
        ...[JSON.stringify(entry.cause), entry.toldName, Number(entry.toldGateway)],
      ),
    deleteMesh: (meshId) => db.run("DELETE FROM meshes WHERE mesh_id = ?", meshId),
    transaction: db.transaction,
  };
}

const toMachineRecord = (row: MachineRow): MachineRecord => ({
  id: row.id,
  name: row.name,
  identityKey: row.identity_key,
  identityKeySince: row.identity_key_since,
  agent: AgentInfo.nullable().parse(JSON.parse(row.agent)),
  revision: row.revision,
  removedAt: row.removed_at,
  lastSeenAt: row.last_seen_at,
  isGateway: row.is_gateway === 1,
  keyOrder:
    row.keys_made_before === null
      ? null
      : { madeBeforeMs: row.keys_made_before, isForced: row.is_key_replacement_forced === 1 },
});

const renderKeyOrder = (order: KeyOrder | null): [number | null, number] => [
  order?.madeBeforeMs ?? null,
  Number(order?.isForced ?? false),
];

const toMeshEntry = (row: MeshRow): MeshEntry => ({
  meshId: row.mesh_id,
  state: row.state,
  cidr: row.cidr,
  meshName: row.mesh_name,
  requestedAddress: row.requested_address,
  cause: StoredCause.parse(JSON.parse(row.cause)),
  toldName: row.told_name,
  toldGateway: row.told_gateway === 1,
});
