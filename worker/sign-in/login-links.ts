// One-time links. The token stands in the link's fragment, which no server, proxy or log ever sees, and is used up by a POST of the page, which
// no prefetcher and no link scanner sends.
import {
  type CreatedLoginLink,
  type CreateLoginLink,
  LOGIN_LINK_FRAGMENT,
  LOGIN_LINK_PREFIX,
  SIGN_IN_PATHS,
} from "#schema/api/sign-in";
import { err, ok, type Result } from "#schema/result";
import { createAuditEvent } from "../audit/new-event.ts";
import type { Cookie } from "../auth/cookies.ts";
import { hashSecret, renderToken } from "../auth/secrets.ts";
import { insertAuditEvent } from "../db/audit-events.ts";
import { runBatch } from "../db/database.ts";
import { deleteExpiredLoginLinks, insertLoginLink, takeLoginLink } from "../db/login-links.ts";
import { findUser, type UserRecord } from "../db/users.ts";
import { type Failure, fieldFailure } from "../failure.ts";
import type { Cause } from "../outbox/cause.ts";
import type { Services } from "../services.ts";
import { startSession } from "../sessions/start-session.ts";
import { createUser } from "../users/create-user.ts";
import { LINK_ISSUER, toUser } from "../users/users.ts";

export async function createLoginLink(
  services: Pick<Services, "db" | "now" | "random" | "ids" | "objects" | "log">,
  request: CreateLoginLink,
  { origin, cause }: { origin: string; cause: Cause },
): Promise<Result<CreatedLoginLink, Failure<"user_not_found" | "user_blocked" | "name_taken">>> {
  const { db, ids } = services;
  const user = await resolveUser(services, request, cause);
  if (!user.ok) return user;
  if (user.value.isBlocked) return err({ code: "user_blocked" });
  const token = renderToken(LOGIN_LINK_PREFIX, services.random(32));
  const now = services.now();
  const expiresAt = now + request.expiresInSeconds * 1_000;
  const link = {
    id: ids.loginLink(),
    tokenHash: await hashSecret(token),
    userId: user.value.id,
    expiresAt,
    createdAt: now,
  };
  const details = { userId: link.userId, expiresAt: new Date(expiresAt).toISOString() };
  const event = createAuditEvent(services, cause, { action: "login_link.created", subjectId: link.id, details });
  await runBatch(db, [deleteExpiredLoginLinks(db, now), insertLoginLink(db, link), insertAuditEvent(db, event)]);
  const url = `${origin}${SIGN_IN_PATHS.page}#${LOGIN_LINK_FRAGMENT}=${token}`;
  return ok({ id: link.id, user: toUser(user.value), url, expiresAt: new Date(expiresAt).toISOString() });
}

async function resolveUser(
  services: Pick<Services, "db" | "now" | "ids">,
  { userId, name = "", role }: CreateLoginLink,
  { actor, requestId }: Cause,
): Promise<Result<UserRecord, Failure<"user_not_found" | "name_taken">>> {
  if (userId !== undefined) {
    const user = await findUser(services.db, userId);
    return user === null ? err(fieldFailure("user_not_found", "userId", "there is no such user")) : ok(user);
  }
  const identity = { issuer: LINK_ISSUER, subject: name.toLowerCase() };
  const wanted = { identity, name, email: null, role: role ?? ("viewer" as const), mayBeFirstOwner: false };
  const user = await createUser(services, { ...wanted, actor, requestId });
  if (role === undefined || user.role === role) return ok(user);
  return err(fieldFailure("name_taken", "role", `${user.name} is there and has the role ${user.role}`));
}

export interface LinkSignIn {
  readonly token: string;
  readonly userAgent: string | null;
  readonly replaces: string | null;
  readonly requestId: string;
}

export async function signInByLink(
  services: Pick<Services, "db" | "now" | "random" | "ids" | "objects" | "log">,
  { token, ...browser }: LinkSignIn,
): Promise<Result<Cookie, Failure<"login_link_invalid" | "user_blocked">>> {
  const link = await takeLoginLink(services.db, await hashSecret(token), services.now());
  const user = link === null ? null : await findUser(services.db, link.userId);
  if (user === null) return err({ code: "login_link_invalid" });
  if (user.isBlocked) return err({ code: "user_blocked" });
  return ok(await startSession(services, { user, signedInBy: "link", ...browser }));
}
