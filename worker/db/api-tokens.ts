import { and, asc, eq, gt, not, or, type SQL, sql } from "drizzle-orm";
import type { ApiTokenId } from "#schema/ids";
import type { PageRequest } from "../page.ts";
import { insertAuditEventIf, type NewAuditEvent } from "./audit-events.ts";
import type { Database, Statement } from "./database.ts";
import { apiTokens } from "./tables.ts";

export type ApiTokenRecord = Readonly<Omit<typeof apiTokens.$inferSelect, "tokenHash">>;

const columns = {
  id: apiTokens.id,
  name: apiTokens.name,
  role: apiTokens.role,
  expiresAt: apiTokens.expiresAt,
  createdAt: apiTokens.createdAt,
};

/** One row more than the limit when there is a next page. */
export async function listApiTokenRows(
  db: Database,
  { after, limit }: PageRequest<ApiTokenId>,
): Promise<ApiTokenRecord[]> {
  return db
    .select(columns)
    .from(apiTokens)
    .where(after === null ? undefined : gt(apiTokens.id, after))
    .orderBy(asc(apiTokens.id))
    .limit(limit + 1);
}

export async function findApiToken(db: Database, id: ApiTokenId): Promise<ApiTokenRecord | null> {
  const [row] = await db.select(columns).from(apiTokens).where(eq(apiTokens.id, id));
  return row ?? null;
}

export async function findApiTokenByHash(db: Database, tokenHash: string): Promise<ApiTokenRecord | null> {
  const [row] = await db.select(columns).from(apiTokens).where(eq(apiTokens.tokenHash, tokenHash));
  return row ?? null;
}

/**
 * Deletes the token and writes the event; false, and nothing is changed, when it is the last owner token that is good at `now` and one
 * must be left. All in one transaction, so that of two owners who revoke each other one stays. A token that is gone already counts as deleted.
 */
export async function deleteApiToken(
  db: Database,
  id: ApiTokenId,
  { event, mustLeaveOwner, now }: { event: NewAuditEvent; mustLeaveOwner: boolean; now: number },
): Promise<boolean> {
  const isThis = eq(apiTokens.id, id);
  const mayGo = mustLeaveOwner ? and(isThis, or(not(isGoodOwner(now)), hasOtherOwner(id, now))) : isThis;
  const [, , left] = await db.batch([
    insertAuditEventIf(db, event, sql`exists (select 1 from ${apiTokens} where ${mayGo})`),
    db.delete(apiTokens).where(mayGo),
    db.select({ id: apiTokens.id }).from(apiTokens).where(isThis),
  ]);
  return left.length === 0;
}

const isGoodOwner = (now: number): SQL => sql`(${apiTokens.role} = 'owner' and ${apiTokens.expiresAt} > ${now})`;
const hasOtherOwner = (id: ApiTokenId, now: number): SQL =>
  sql`exists (select 1 from api_tokens as other where other.id <> ${id} and other.role = 'owner' and other.expires_at > ${now})`;

export const insertApiToken = (db: Database, token: ApiTokenRecord & { readonly tokenHash: string }): Statement =>
  db.insert(apiTokens).values(token);
