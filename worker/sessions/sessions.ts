import type { Session } from "#schema/api/users";
import { SessionId, type UserId } from "#schema/ids";
import { err, ok, type Result } from "#schema/result";
import { createAuditEvent } from "../audit/new-event.ts";
import { type Caller, isAllowed } from "../auth/caller.ts";
import { deleteSession, findSession, listSessionRows, type SessionRecord } from "../db/sessions.ts";
import type { Failure } from "../failure.ts";
import { type Page, type PageQuery, parsePageRequest, toPage } from "../page.ts";
import type { Services } from "../services.ts";
import { dismissWatchers } from "./dismiss-watchers.ts";
import { IDLE_MS } from "./read-session.ts";

export async function listSessions(
  { db, now }: Pick<Services, "db" | "now">,
  query: PageQuery & { readonly userId?: UserId | undefined },
  caller: Caller,
): Promise<Result<Page<Session>, Failure<"cursor_invalid" | "forbidden">>> {
  const page = parsePageRequest(query, SessionId);
  if (!page.ok) return page;
  const own = caller.signedIn?.user.id;
  const userId = query.userId ?? own;
  if (userId === undefined) return ok({ items: [], nextCursor: null });
  if (userId !== own && !isAllowed(caller.role, "owner")) {
    return err({ code: "forbidden", detail: "another user's sessions need the role owner" });
  }
  const time = now();
  const rows = await listSessionRows(db, page.value, { userId, now: time, usedAfter: time - IDLE_MS });
  const toItem = (row: SessionRecord) => toSession(row, caller);
  return ok(toPage(rows, page.value.limit, { idOf: (row) => row.id, toItem }));
}

/** Somebody else's session is, for who is no owner, one that is not there. */
export async function revokeSession(
  services: Pick<Services, "db" | "objects" | "log" | "now" | "ids">,
  id: SessionId,
  { caller, requestId }: { caller: Caller; requestId: string },
): Promise<Result<null, Failure<"session_not_found">>> {
  const session = await findSession(services.db, id);
  const mayRevoke = session?.userId === caller.signedIn?.user.id || isAllowed(caller.role, "owner");
  if (session === null || !mayRevoke) return err({ code: "session_not_found" });
  const event = createAuditEvent(
    services,
    { actor: caller.actor, requestId },
    { action: "session.revoked", subjectId: id, details: { userId: session.userId } },
  );
  await deleteSession(services.db, id, event);
  await dismissWatchers(services, `session:${id}`);
  return ok(null);
}

export const toSession = (record: SessionRecord, caller: Caller): Session => ({
  id: record.id,
  userId: record.userId,
  signedInBy: record.signedInBy,
  isCurrent: record.id === caller.signedIn?.session.id,
  userAgent: record.userAgent,
  createdAt: new Date(record.createdAt).toISOString(),
  lastUsedAt: new Date(record.lastUsedAt).toISOString(),
  expiresAt: new Date(record.expiresAt).toISOString(),
});
