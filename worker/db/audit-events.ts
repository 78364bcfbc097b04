import { and, desc, eq, lt, type SQL, sql } from "drizzle-orm";
import { type AuditAction, AuditEvent } from "#schema/api/audit-events";
import type { AuditEventId } from "#schema/ids";
import type { PageRequest } from "../page.ts";
import type { Database, Statement } from "./database.ts";
import type { NewAuditEvent } from "./projections.ts";
import { auditEvents } from "./tables.ts";

export { insertAuditEvent, type NewAuditEvent } from "./projections.ts";

export interface AuditFilter {
  readonly action?: AuditAction | undefined;
  readonly meshId?: string | undefined;
  readonly subjectId?: string | undefined;
  readonly actorId?: string | undefined;
}

/** Newest first; one more than the limit when there is a next page. */
export async function listAuditEventRows(
  db: Database,
  { after, limit }: PageRequest<AuditEventId>,
  filter: AuditFilter,
): Promise<AuditEvent[]> {
  const rows = await db
    .select()
    .from(auditEvents)
    .where(
      and(
        after === null ? undefined : lt(auditEvents.id, after),
        filter.action === undefined ? undefined : eq(auditEvents.action, filter.action),
        filter.meshId === undefined ? undefined : eq(auditEvents.meshId, filter.meshId),
        filter.subjectId === undefined ? undefined : eq(auditEvents.subjectId, filter.subjectId),
        filter.actorId === undefined ? undefined : eq(auditEvents.actorId, filter.actorId),
      ),
    )
    .orderBy(desc(auditEvents.id))
    .limit(limit + 1);
  return rows.map(toAuditEvent);
}

/** Writes the event only when `condition` (an SQL expression) holds at that point of the batch. */
export function insertAuditEventIf(db: Database, event: NewAuditEvent, condition: SQL): Statement {
  const { actor } = event;
  // In the order of the table's columns.
  return db.insert(auditEvents).select(sql`
    select ${event.id}, ${event.at}, ${actor.kind}, ${actor.id}, ${actor.name}, ${event.action}, ${event.subjectId},
      ${event.meshId}, ${JSON.stringify(event.details)}, ${event.requestId}
    where ${condition}`);
}

const toAuditEvent = (row: typeof auditEvents.$inferSelect): AuditEvent =>
  AuditEvent.parse({
    id: row.id,
    at: new Date(row.at).toISOString(),
    actor: { kind: row.actorKind, id: row.actorId, name: row.actorName },
    action: row.action,
    subjectId: row.subjectId,
    meshId: row.meshId,
    details: JSON.parse(row.details),
    requestId: row.requestId,
  });
