import type { AuditAction } from "#schema/api/audit-events";
import type { NewAuditEvent } from "../db/audit-events.ts";
import type { Cause } from "../outbox/cause.ts";
import type { Services } from "../services.ts";

export interface Change {
  readonly action: AuditAction;
  readonly subjectId: string;
  readonly meshId?: string;
  /** In the API's own words; never a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
}

export function createAuditEvent(
  { ids, now }: Pick<Services, "ids" | "now">,
  { actor, requestId }: Cause,
  { action, subjectId, meshId, details }: Change,
): NewAuditEvent {
  const id = ids.auditEvent();
  return { id, at: now(), actor, action, subjectId, meshId: meshId ?? null, details: details ?? {}, requestId };
}
