// What the objects write to D1 through their outboxes. Every statement may run twice and in batches with others.
//
// Objects write: memberships, how many a mesh has, and how many VIPs and gateways, its route reflector mode, a machine's agent info, and the audit events of members, routes and VIPs
// (only they know when those happen). All other audit events belong to use-cases, which write them in the same batch as their own D1 change.
import { and, eq, lt, sql } from "drizzle-orm";
import type { Actor, AuditAction } from "#schema/api/audit-events";
import { MachineId, type MeshId } from "#schema/ids";
import type { AgentInfo } from "#schema/machine";
import type { Database, Statement } from "./database.ts";
import { auditEvents, machines, memberships, meshes } from "./tables.ts";

export interface MembershipRow {
  readonly meshId: string;
  readonly machineId: string;
  readonly address: string;
  readonly address6: string;
  /** The mesh revision of this change: an older revision never overwrites a newer one. */
  readonly revision: number;
  /** Milliseconds since the epoch. */
  readonly joinedAt: number;
}

export interface NewAuditEvent {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly actor: Actor;
  readonly action: AuditAction;
  readonly subjectId: string;
  readonly meshId: string | null;
  readonly details: Readonly<Record<string, unknown>>;
  readonly requestId: string;
}

// Rows go as one JSON parameter: a statement for a whole batch, where one per row takes D1 several times as long.

export function projectMemberships(db: Database, rows: readonly MembershipRow[]): Statement {
  return db
    .insert(memberships)
    .select(
      // In the order of the table's columns. Without "where true" SQLite reads the conflict clause as a join's.
      sql`select value ->> 'meshId', value ->> 'machineId', value ->> 'address', value ->> 'address6',
        value ->> 'revision', value ->> 'joinedAt' from json_each(${JSON.stringify(rows)}) where true`,
    )
    .onConflictDoUpdate({
      target: [memberships.machineId, memberships.meshId],
      set: {
        address: sql`excluded.address`,
        address6: sql`excluded.address6`,
        revision: sql`excluded.revision`,
        joinedAt: sql`excluded.joined_at`,
      },
      setWhere: sql`excluded.revision > ${memberships.revision}`,
    });
}

export function projectMembershipsRemoved(
  db: Database,
  removals: readonly Pick<MembershipRow, "meshId" | "machineId" | "revision">[],
): Statement {
  return db.delete(memberships).where(
    sql`(machine_id, mesh_id) in (
      select removed.value ->> 'machineId', removed.value ->> 'meshId'
      from json_each(${JSON.stringify(removals)}) as removed
      join memberships as known
        on known.machine_id = removed.value ->> 'machineId' and known.mesh_id = removed.value ->> 'meshId'
      where known.revision <= removed.value ->> 'revision')`,
  );
}

export interface MemberCount {
  readonly meshId: MeshId;
  readonly memberCount: number;
  /** The mesh revision that the count is of. */
  readonly revision: number;
}

/** Changes nothing when a newer count is known, or when the mesh is gone. */
export function projectMemberCount(db: Database, { meshId, memberCount, revision }: MemberCount): Statement {
  return db
    .update(meshes)
    .set({ memberCount, memberCountRevision: revision })
    .where(and(eq(meshes.id, meshId), lt(meshes.memberCountRevision, revision)));
}

export interface VipCount {
  readonly meshId: MeshId;
  readonly vipCount: number;
  readonly revision: number;
}

/** Changes nothing when a newer count is known, or when the mesh is gone. */
export function projectVipCount(db: Database, { meshId, vipCount, revision }: VipCount): Statement {
  return db
    .update(meshes)
    .set({ vipCount, vipCountRevision: revision })
    .where(and(eq(meshes.id, meshId), lt(meshes.vipCountRevision, revision)));
}

export interface MeshRouting {
  readonly meshId: MeshId;
  readonly routeReflectorMode: boolean;
  readonly gatewayCount: number;
  /** The mesh revision that this is of. */
  readonly revision: number;
}

/** Changes nothing when something newer is known, or when the mesh is gone. */
export function projectMeshRouting(db: Database, { meshId, revision, ...routing }: MeshRouting): Statement {
  const { routeReflectorMode, gatewayCount } = routing;
  return db
    .update(meshes)
    .set({ routeReflectorMode, gatewayCount, routingRevision: revision })
    .where(and(eq(meshes.id, meshId), lt(meshes.routingRevision, revision)));
}

/** Idempotent by the events' ids. */
export function insertAuditEvents(db: Database, events: readonly NewAuditEvent[]): Statement {
  return db
    .insert(auditEvents)
    .select(
      sql`select value ->> 'id', value ->> 'at', value -> 'actor' ->> 'kind', value -> 'actor' ->> 'id',
        value -> 'actor' ->> 'name', value ->> 'action', value ->> 'subjectId', value ->> 'meshId', value -> 'details',
        value ->> 'requestId' from json_each(${JSON.stringify(events)}) where true`,
    )
    .onConflictDoNothing();
}

/** Idempotent by the event's id. */
export function insertAuditEvent(db: Database, event: NewAuditEvent): Statement {
  return db
    .insert(auditEvents)
    .values({
      id: event.id,
      at: event.at,
      actorKind: event.actor.kind,
      actorId: event.actor.id,
      actorName: event.actor.name,
      action: event.action,
      subjectId: event.subjectId,
      meshId: event.meshId,
      details: JSON.stringify(event.details),
      requestId: event.requestId,
    })
    .onConflictDoNothing();
}

/** Changes nothing when the machine is gone. */
export function projectAgentInfo(db: Database, machineId: string, agent: AgentInfo): Statement {
  return db
    .update(machines)
    .set({ agent: JSON.stringify(agent) })
    .where(eq(machines.id, MachineId.parse(machineId)));
}
