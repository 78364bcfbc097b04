import type { AuditEvent } from "#schema/api/audit-events";
import { AuditEventId } from "#schema/ids";
import { ok, type Result } from "#schema/result";
import { type AuditFilter, listAuditEventRows } from "../db/audit-events.ts";
import type { Failure } from "../failure.ts";
import { type Page, type PageQuery, parsePageRequest, toPage } from "../page.ts";
import type { Services } from "../services.ts";

export async function listEvents(
  { db }: Pick<Services, "db">,
  query: PageQuery & AuditFilter,
): Promise<Result<Page<AuditEvent>, Failure<"cursor_invalid">>> {
  const page = parsePageRequest(query, AuditEventId);
  if (!page.ok) return page;
  const events = await listAuditEventRows(db, page.value, query);
  return ok(toPage(events, page.value.limit, { idOf: (event) => event.id, toItem: (event) => event }));
}
