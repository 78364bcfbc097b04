// What the objects write to D1 through their outboxes. Every statement may run twice and in batches with others.
//
// Objects write: memberships, a machine's agent info, and the audit events member.added and member.removed (only they know when
// those happen). All other audit events belong to use-cases, which write them in the same batch as their own D1 change.
import { and, eq, lte, sql } from "drizzle-orm";
import { Ipv4, Ipv6 } from "#schema/address";
import type { Actor, AuditAction } from "#schema/api/audit-events";
import { MachineId, MeshId } from "#schema/ids";
import type { AgentInfo } from "#schema/machine";
import type { Database, Statement } from "./database.ts";
import { auditEvents, machines, memberships } from "./tables.ts";

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

export function projectMembership(db: Database, row: MembershipRow): Statement {
  const { revision, joinedAt } = row;
  const address = Ipv4.parse(row.address);
  const address6 = Ipv6.parse(row.address6);
  const meshId = MeshId.parse(row.meshId);
  const machineId = MachineId.parse(row.machineId);
  return db
    .insert(memberships)
    .values({ meshId, machineId, address, address6, revision, joinedAt })
    .onConflictDoUpdate({
      target: [memberships.machineId, memberships.meshId],
      set: { address, address6, revision, joinedAt },
      setWhere: sql`excluded.revision > ${memberships.revision}`,
    });
}

export function projectMembershipRemoved(db: Database, meshId: string, machineId: string, revision: number): Statement {
  return db
    .delete(memberships)
    .where(
      and(
        eq(memberships.machineId, MachineId.parse(machineId)),
        eq(memberships.meshId, MeshId.parse(meshId)),
        lte(memberships.revision, revision),
      ),
    );
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
