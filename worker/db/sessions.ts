import { and, asc, eq, gt, lt, lte, sql } from "drizzle-orm";
import type { SessionId, UserId } from "#schema/ids";
import type { PageRequest } from "../page.ts";
import { insertAuditEventIf, type NewAuditEvent } from "./audit-events.ts";
import type { Database, Statement } from "./database.ts";
import { sessions, users } from "./tables.ts";
import type { UserRecord } from "./users.ts";

export type SessionRecord = Readonly<Omit<typeof sessions.$inferSelect, "tokenHash">>;

const columns = {
  id: sessions.id,
  userId: sessions.userId,
  signedInBy: sessions.signedInBy,
  userAgent: sessions.userAgent,
  createdAt: sessions.createdAt,
  lastUsedAt: sessions.lastUsedAt,
  expiresAt: sessions.expiresAt,
};

export interface SignedIn {
  readonly session: SessionRecord;
  readonly user: UserRecord;
}

/** With its user: whether either is still good is the caller's to judge. */
export async function findSessionByHash(db: Database, tokenHash: string): Promise<SignedIn | null> {
  const [row] = await db
    .select({ session: columns, user: users })
    .from(sessions)
    .innerJoin(users, eq(users.id, sessions.userId))
    .where(eq(sessions.tokenHash, tokenHash));
  return row ?? null;
}

export async function findSession(db: Database, id: SessionId): Promise<SessionRecord | null> {
  const [row] = await db.select(columns).from(sessions).where(eq(sessions.id, id));
  return row ?? null;
}

/** The user's sessions that are good, oldest first; one more than the limit when there is a next page. */
export async function listSessionRows(
  db: Database,
  { after, limit }: PageRequest<SessionId>,
  { userId, now, usedAfter }: { userId: UserId; now: number; usedAfter: number },
): Promise<SessionRecord[]> {
  return db
    .select(columns)
    .from(sessions)
    .where(
      and(
        eq(sessions.userId, userId),
        gt(sessions.expiresAt, now),
        gt(sessions.lastUsedAt, usedAfter),
        after === null ? undefined : gt(sessions.id, after),
      ),
    )
    .orderBy(asc(sessions.id))
    .limit(limit + 1);
}

export const insertSession = (db: Database, session: SessionRecord & { readonly tokenHash: string }): Statement =>
  db.insert(sessions).values(session);

export async function touchSession(db: Database, id: SessionId, now: number): Promise<void> {
  await db
    .update(sessions)
    .set({ lastUsedAt: now })
    .where(and(eq(sessions.id, id), lt(sessions.lastUsedAt, now)));
}

/** Writes the event only when the session is there. */
export async function deleteSession(db: Database, id: SessionId, event: NewAuditEvent): Promise<void> {
  await db.batch([
    insertAuditEventIf(db, event, sql`exists (select 1 from sessions where id = ${id})`),
    db.delete(sessions).where(eq(sessions.id, id)),
  ]);
}

/** What a browser was signed in with before it signs in again. */
export const deleteSessionByHash = (db: Database, tokenHash: string): Statement =>
  db.delete(sessions).where(eq(sessions.tokenHash, tokenHash));

export const deleteExpiredSessions = (db: Database, now: number): Statement =>
  db.delete(sessions).where(lte(sessions.expiresAt, now));
