// What a mesh keeps. The only user of the object's storage, together with the pool's, the outbox's and the alarms' tables that it opens.

import type { Ipv4, Ipv6, Ipv6Cidr } from "#schema/address";
import type { Candidate, MeshSettings } from "#schema/desired-state";
import { Candidates } from "#schema/desired-state";
import type { Generation } from "#schema/generation";
import type { MachineId, MeshId, WireGuardPublicKey } from "#schema/ids";
import type { Fallback, MeshCidr } from "#schema/mesh";
import { NatSummary } from "#schema/nat";
import { isMigrated, migrate } from "../durable/migrate.ts";
import type { Database } from "../durable/sqlite.ts";
import { MESH_MIGRATIONS } from "./migrations.ts";
import { parsePolicies, renderPolicies } from "./policies/policy-storage.ts";

export interface MeshRecord {
  readonly settings: MeshSettings;
  /** Of a restored state it ends in its generation: whoever was told revisions by the state before is told everything anew. */
  readonly epoch: string;
  readonly revision: number;
  readonly visibleRevision: number;
  readonly settingsRevision: number;
  readonly forgottenRevision: number;
  readonly tombstoneCount: number;
  readonly memberCount: number;
  readonly closedAt: number | null;
}

export interface MemberRecord {
  readonly machineId: MachineId;
  readonly name: string;
  readonly host: number;
  readonly address: Ipv4;
  readonly address6: Ipv6;
  readonly publicKey: WireGuardPublicKey | null;
  /** When it told of its key; null while it has none. */
  readonly keySince: number | null;
  readonly candidates: readonly Candidate[];
  /** Null when the member never told one. */
  readonly deviceEpoch: string | null;
  /** Null when the member never told it. */
  readonly nat: NatSummary | null;
  readonly answersChecks: boolean;
  readonly isGateway: boolean;
  readonly revision: number;
  readonly joinedAt: number;
  readonly lastSeenAt: number | null;
}
/** A member that the others see. */
export type VisibleMember = MemberRecord & { readonly publicKey: WireGuardPublicKey };

export interface Tombstone {
  readonly revision: number;
  readonly kind: "member" | "announcement";
  readonly id: string;
}

export interface MeshStorage {
  /** Null when there is no mesh here: never made, or gone. */
  readMesh(): MeshRecord | null;
  /** Makes the tables too: an object that holds no mesh has stored nothing. */
  insertMesh(mesh: MeshRecord): void;
  writeMesh(mesh: MeshRecord): void;
  readMember(machineId: string): MemberRecord | null;
  hasKey(publicKey: WireGuardPublicKey): boolean;
  insertMember(member: MemberRecord): void;
  writeMember(member: MemberRecord): void;
  deleteMember(machineId: MachineId): void;
  writeLastSeen(machineId: MachineId, atMs: number): void;
  /** Of those of these machines that are members and were seen: when their connections closed. */
  readLastSeen(machineIds: readonly MachineId[]): { readonly machineId: MachineId; readonly atMs: number }[];
  /** In order of machine ids. */
  readMembersAfter(machineId: string | null, limit: number): MemberRecord[];
  readMemberIds(): MachineId[];
  countGateways(): number;
  /** Members with a key whose last change is after `revision`, in order of revision. */
  readVisibleSince(revision: number): VisibleMember[];
  readTombstonesSince(revision: number): Tombstone[];
  insertTombstone(tombstone: Tombstone): void;
  /** The revision of the oldest, which is gone then. */
  dropOldestTombstone(): number;
  transaction<T>(closure: () => T): T;
  /** Everything goes; from then on there is no mesh here. */
  destroy(): Promise<void>;
}

type MeshRow = {
  id: MeshId;
  name: string;
  cidr: MeshCidr;
  cidr6: Ipv6Cidr;
  asn: number;
  epoch: string;
  revision: number;
  visible_revision: number;
  settings_revision: number;
  forgotten_revision: number;
  tombstone_count: number;
  member_count: number;
  closed_at: number | null;
  fallback: Fallback;
  route_reflector_mode: number;
  policies: string | null;
  key_rotation_days: number | null;
};
type MemberRow = {
  machine_id: MachineId;
  name: string;
  host: number;
  address: Ipv4;
  address6: Ipv6;
  public_key: WireGuardPublicKey | null;
  candidates: string;
  device_epoch: string | null;
  nat: string | null;
  answers_checks: number;
  is_gateway: number;
  revision: number;
  joined_at: number;
  last_seen_at: number | null;
  key_since: number | null;
};

export interface MeshStorageOptions {
  readonly generation: Generation | null;
  readonly deleteAll: () => Promise<void>;
}

export function createMeshStorage(db: Database, { generation, deleteAll }: MeshStorageOptions): MeshStorage {
  let hasTables = isMigrated(db);
  if (hasTables) migrate(db, MESH_MIGRATIONS);
  // Every request and change begins with the mesh's row. This object is its only writer, so a copy is as good.
  let kept: MeshRecord | null = null;
  db.onRollback(() => {
    kept = null;
    hasTables = isMigrated(db);
  });

  return {
    readMesh() {
      if (kept !== null || !hasTables) return kept;
      const row = db.first<MeshRow>("SELECT * FROM mesh");
      kept = row === null ? null : toMeshRecord(row, generation);
      return kept;
    },
    insertMesh(mesh) {
      migrate(db, MESH_MIGRATIONS);
      hasTables = true;
      const { id, name, cidr, cidr6, asn, fallback, routeReflectorMode, policies, keyRotationDays } = mesh.settings;
      db.run(
        "INSERT INTO mesh VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        ...[id, name, cidr, cidr6, asn, mesh.epoch, mesh.revision, mesh.visibleRevision, mesh.settingsRevision],
        ...[
          mesh.forgottenRevision,
          mesh.tombstoneCount,
          mesh.memberCount,
          mesh.closedAt,
          fallback,
          Number(routeReflectorMode),
          renderPolicies(policies),
          keyRotationDays,
        ],
      );
      // Its epoch is read with the generation.
      kept = null;
    },
    writeMesh(mesh) {
      db.run(
        `UPDATE mesh SET name = ?, fallback = ?, route_reflector_mode = ?, policies = ?, key_rotation_days = ?, revision = ?, visible_revision = ?,
          settings_revision = ?, forgotten_revision = ?, tombstone_count = ?, member_count = ?, closed_at = ?`,
        ...[mesh.settings.name, mesh.settings.fallback, Number(mesh.settings.routeReflectorMode)],
        ...[renderPolicies(mesh.settings.policies), mesh.settings.keyRotationDays],
        ...[mesh.revision, mesh.visibleRevision, mesh.settingsRevision],
        ...[mesh.forgottenRevision, mesh.tombstoneCount, mesh.memberCount, mesh.closedAt],
      );
      kept = mesh;
    },

    readMember(machineId) {
      const row = db.first<MemberRow>("SELECT * FROM members WHERE machine_id = ?", machineId);
      return row === null ? null : toMemberRecord(row);
    },
    hasKey: (publicKey) => db.first("SELECT 1 AS one FROM members WHERE public_key = ?", publicKey) !== null,
    insertMember: (member) =>
      db.run(
        "INSERT INTO members VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?)",
        ...[member.machineId, member.name, member.host, member.address, member.address6, member.publicKey],
        ...[JSON.stringify(member.candidates), member.revision, member.joinedAt, member.lastSeenAt],
        ...[member.deviceEpoch, renderNat(member.nat), Number(member.answersChecks), Number(member.isGateway)],
        member.keySince,
      ),
    writeMember: (member) =>
      db.run(
        `UPDATE members SET name = ?, public_key = ?, candidates = ?, device_epoch = ?, nat = ?, answers_checks = ?,
          is_gateway = ?, key_since = ?, revision = ? WHERE machine_id = ?`,
        ...[member.name, member.publicKey, JSON.stringify(member.candidates), member.deviceEpoch],
        ...[renderNat(member.nat), Number(member.answersChecks), Number(member.isGateway)],
        ...[member.keySince, member.revision, member.machineId],
      ),
    deleteMember: (machineId) => db.run("DELETE FROM members WHERE machine_id = ?", machineId),
    writeLastSeen: (machineId, atMs) =>
      db.run("UPDATE members SET last_seen_at = ? WHERE machine_id = ?", atMs, machineId),
    readLastSeen: (machineIds) =>
      db
        .all<{ machine_id: MachineId; last_seen_at: number }>(
          `SELECT machine_id, last_seen_at FROM members
            WHERE machine_id IN (SELECT value FROM json_each(?)) AND last_seen_at IS NOT NULL`,
          JSON.stringify(machineIds),
        )
        .map((row) => ({ machineId: row.machine_id, atMs: row.last_seen_at })),
    readMembersAfter: (machineId, limit) =>
      db
        .all<MemberRow>(
          "SELECT * FROM members WHERE machine_id > ? ORDER BY machine_id LIMIT ?",
          machineId ?? "",
          limit,
        )
        .map(toMemberRecord),
    readMemberIds: () =>
      db.all<{ machine_id: MachineId }>("SELECT machine_id FROM members").map((row) => row.machine_id),
    countGateways: () =>
      db.first<{ count: number }>("SELECT count(*) AS count FROM members WHERE is_gateway = 1")?.count ?? 0,

    readVisibleSince: (revision) =>
      db
        .all<MemberRow>(
          "SELECT * FROM members WHERE public_key IS NOT NULL AND revision > ? ORDER BY revision",
          revision,
        )
        .map(toMemberRecord)
        .filter(isVisible),
    readTombstonesSince: (revision) =>
      db
        .all<{ revision: number; machine_id: string; kind: Tombstone["kind"] }>(
          "SELECT * FROM tombstones WHERE revision > ?",
          revision,
        )
        .map((row) => ({ revision: row.revision, kind: row.kind, id: row.machine_id })),
    insertTombstone: ({ revision, kind, id }) => db.run("INSERT INTO tombstones VALUES (?, ?, ?)", revision, id, kind),
    dropOldestTombstone() {
      const [dropped] = db.all<{ revision: number }>(
        "DELETE FROM tombstones WHERE revision = (SELECT min(revision) FROM tombstones) RETURNING revision",
      );
      return dropped?.revision ?? 0;
    },
    transaction: db.transaction,
    async destroy() {
      hasTables = false;
      kept = null;
      await deleteAll();
    },
  };
}

export const isVisible = (member: MemberRecord): member is VisibleMember => member.publicKey !== null;

const renderNat = (nat: NatSummary | null): string | null => (nat === null ? null : JSON.stringify(nat));

const toMeshRecord = (row: MeshRow, generation: Generation | null): MeshRecord => ({
  settings: {
    id: row.id,
    name: row.name,
    cidr: row.cidr,
    cidr6: row.cidr6,
    asn: row.asn,
    fallback: row.fallback,
    routeReflectorMode: row.route_reflector_mode === 1,
    policies: parsePolicies(row.policies),
    keyRotationDays: row.key_rotation_days,
  },
  epoch: generation === null ? row.epoch : `${row.epoch}.${generation}`,
  revision: row.revision,
  visibleRevision: row.visible_revision,
  settingsRevision: row.settings_revision,
  forgottenRevision: row.forgotten_revision,
  tombstoneCount: row.tombstone_count,
  memberCount: row.member_count,
  closedAt: row.closed_at,
});

const toMemberRecord = (row: MemberRow): MemberRecord => ({
  machineId: row.machine_id,
  name: row.name,
  host: row.host,
  address: row.address,
  address6: row.address6,
  publicKey: row.public_key,
  keySince: row.key_since,
  candidates: Candidates.parse(JSON.parse(row.candidates)),
  deviceEpoch: row.device_epoch,
  nat: row.nat === null ? null : NatSummary.parse(JSON.parse(row.nat)),
  answersChecks: row.answers_checks === 1,
  isGateway: row.is_gateway === 1,
  revision: row.revision,
  joinedAt: row.joined_at,
  lastSeenAt: row.last_seen_at,
});
