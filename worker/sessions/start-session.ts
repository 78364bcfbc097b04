import type { SignInMethod } from "#schema/api/users";
import { createAuditEvent } from "../audit/new-event.ts";
import type { Cookie } from "../auth/cookies.ts";
import { hashSecret, renderToken } from "../auth/secrets.ts";
import { insertAuditEvent } from "../db/audit-events.ts";
import { runBatch } from "../db/database.ts";
import { deleteExpiredSessions, deleteSessionByHash, findSessionByHash, insertSession } from "../db/sessions.ts";
import { noteSignIn, type UserRecord } from "../db/users.ts";
import type { Services } from "../services.ts";
import { dismissWatchers } from "./dismiss-watchers.ts";
import { SESSION_MS } from "./read-session.ts";

const SESSION_PREFIX = "bks_";
const MAX_USER_AGENT_LENGTH = 300;

export interface NewSession {
  readonly user: UserRecord;
  readonly signedInBy: SignInMethod;
  /** What the provider says of the user today; left out, what is known stays. */
  readonly person?: { readonly name: string; readonly email: string | null };
  readonly userAgent: string | null;
  /** The cookie that the browser came with: that session ends, and the new one has a token that nobody saw before. */
  readonly replaces: string | null;
  readonly requestId: string;
}

export async function startSession(
  services: Pick<Services, "db" | "now" | "random" | "ids" | "objects" | "log">,
  { user, signedInBy, person, userAgent, replaces, requestId }: NewSession,
): Promise<Cookie> {
  const { db, ids } = services;
  const now = services.now();
  const token = renderToken(SESSION_PREFIX, services.random(32));
  const id = ids.session();
  const actor = { kind: "user", id: user.id, name: person?.name ?? user.name } as const;
  const event = createAuditEvent(
    services,
    { actor, requestId },
    { action: "session.created", subjectId: id, details: { userId: user.id, signedInBy } },
  );
  const replacedHash = replaces === null ? null : await hashSecret(replaces);
  const replaced = replacedHash === null ? null : await findSessionByHash(db, replacedHash);
  await runBatch(db, [
    deleteExpiredSessions(db, now),
    ...(replacedHash === null ? [] : [deleteSessionByHash(db, replacedHash)]),
    noteSignIn(db, user.id, { ...person, at: now }),
    insertSession(db, {
      id,
      tokenHash: await hashSecret(token),
      userId: user.id,
      signedInBy,
      userAgent: userAgent?.slice(0, MAX_USER_AGENT_LENGTH) ?? null,
      createdAt: now,
      lastUsedAt: now,
      expiresAt: now + SESSION_MS,
    }),
    insertAuditEvent(db, event),
  ]);
  if (replaced !== null) await dismissWatchers(services, `session:${replaced.session.id}`);
  return { name: "session", value: token, maxAgeSeconds: SESSION_MS / 1_000 };
}
