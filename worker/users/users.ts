import type { UpdateUser, User } from "#schema/api/users";
import { UserId } from "#schema/ids";
import { err, ok, type Result } from "#schema/result";
import { createAuditEvent } from "../audit/new-event.ts";
import { deleteUser, findUser, listUserRows, type UserRecord, updateUserRow } from "../db/users.ts";
import type { Failure } from "../failure.ts";
import type { Cause } from "../outbox/cause.ts";
import { type Page, type PageQuery, parsePageRequest, toPage } from "../page.ts";
import type { Services } from "../services.ts";
import { dismissWatchers } from "../sessions/dismiss-watchers.ts";

/** In place of an OpenID provider's issuer: users that sign-in links are made for by name. No URL, so no provider can have it. */
export const LINK_ISSUER = "link";

export async function listUsers(
  { db }: Pick<Services, "db">,
  query: PageQuery,
): Promise<Result<Page<User>, Failure<"cursor_invalid">>> {
  const page = parsePageRequest(query, UserId);
  if (!page.ok) return page;
  const rows = await listUserRows(db, page.value);
  return ok(toPage(rows, page.value.limit, { idOf: (row) => row.id, toItem: toUser }));
}

/** At once: the user is looked up at every request. */
export async function updateUser(
  services: Pick<Services, "db" | "objects" | "log" | "now" | "ids">,
  { userId, change, cause }: { userId: UserId; change: UpdateUser; cause: Cause },
): Promise<Result<User, Failure<"user_not_found" | "last_owner">>> {
  const { db } = services;
  const user = await findUser(db, userId);
  if (user === null) return err({ code: "user_not_found" });
  const role = change.role ?? user.role;
  const isBlocked = change.isBlocked ?? user.isBlocked;
  if (role === user.role && isBlocked === user.isBlocked) return ok(toUser(user));
  const details = {
    ...(role === user.role ? {} : { role }),
    ...(isBlocked === user.isBlocked ? {} : { isBlocked }),
  };
  const event = createAuditEvent(services, cause, { action: "user.updated", subjectId: userId, details });
  const updated = await updateUserRow(db, userId, { role, isBlocked, event });
  if (updated === null) return refusal(services, userId);
  await dismissWatchers(services, `user:${userId}`);
  return ok(toUser(updated));
}

export async function removeUser(
  services: Pick<Services, "db" | "objects" | "log" | "now" | "ids">,
  userId: UserId,
  cause: Cause,
): Promise<Result<null, Failure<"user_not_found" | "last_owner">>> {
  const user = await findUser(services.db, userId);
  if (user === null) return err({ code: "user_not_found" });
  const details = { name: user.name, role: user.role };
  const event = createAuditEvent(services, cause, { action: "user.removed", subjectId: userId, details });
  if (!(await deleteUser(services.db, userId, event))) return err({ code: "last_owner" });
  await dismissWatchers(services, `user:${userId}`);
  return ok(null);
}

/** Why nothing was changed: somebody else may have removed the user meanwhile. */
async function refusal(
  { db }: Pick<Services, "db">,
  userId: UserId,
): Promise<Result<never, Failure<"user_not_found" | "last_owner">>> {
  return err({ code: (await findUser(db, userId)) === null ? "user_not_found" : "last_owner" });
}

export const toUser = (record: UserRecord): User => ({
  id: record.id,
  name: record.name,
  email: record.email,
  role: record.role,
  isBlocked: record.isBlocked,
  knownBy: record.issuer === LINK_ISSUER ? "link" : "oidc",
  createdAt: new Date(record.createdAt).toISOString(),
  lastSignInAt: record.lastSignInAt === null ? null : new Date(record.lastSignInAt).toISOString(),
});
