import type { AuditAction } from "#schema/api/audit-events";
import { ID_PREFIXES, renderUlid } from "#schema/ids";
import type { Cause } from "../outbox/cause.ts";
import type { Projection } from "../outbox/entries.ts";
import type { MeshRecord } from "./storage.ts";

/** For the outbox: what only the mesh knows when it happens. */
export function toAuditEntry(
  { randomBytes }: { readonly randomBytes: (count: number) => Uint8Array },
  mesh: MeshRecord,
  change: {
    readonly action: AuditAction;
    readonly subjectId: string;
    readonly details: Readonly<Record<string, unknown>>;
    readonly cause: Cause;
    readonly nowMs: number;
  },
): Projection {
  const { action, subjectId, details, cause, nowMs } = change;
  const id = ID_PREFIXES.auditEvent + renderUlid(nowMs, randomBytes(16));
  const { actor, requestId } = cause;
  const meshId = mesh.settings.id;
  return { type: "audit_event", event: { id, at: nowMs, actor, action, subjectId, meshId, details, requestId } };
}
