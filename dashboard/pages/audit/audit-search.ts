import { AuditAction } from "#schema/api/audit-events";

export interface AuditSearch {
  readonly action?: AuditAction;
  readonly meshId?: string;
  readonly subjectId?: string;
}

export function parseAuditSearch({ action, meshId, subjectId }: Record<string, unknown>): AuditSearch {
  const known = AuditAction.safeParse(action);
  return {
    ...(known.success ? { action: known.data } : {}),
    ...(typeof meshId === "string" ? { meshId } : {}),
    ...(typeof subjectId === "string" ? { subjectId } : {}),
  };
}
