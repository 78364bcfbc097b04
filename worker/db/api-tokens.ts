import { and, asc, eq, gt, type SQL, sql } from "drizzle-orm";
import type { ApiTokenId } from "#schema/ids";
import type { PageRequest } from "../page.ts";
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

/** Of tokens that are good at `now`. */
export async function countOwnerTokens(db: Database, now: number): Promise<number> {
  return db.$count(apiTokens, and(eq(apiTokens.role, "owner"), gt(apiTokens.expiresAt, now)));
}

export const insertApiToken = (db: Database, token: ApiTokenRecord & { readonly tokenHash: string }): Statement =>
  db.insert(apiTokens).values(token);

export const deleteApiToken = (db: Database, id: ApiTokenId): Statement =>
  db.delete(apiTokens).where(eq(apiTokens.id, id));

/** For `insertAuditEventIf`: whether the token is there at that point of the batch. */
export const hasApiTokenRow = (id: ApiTokenId): SQL =>
  sql`exists (select 1 from ${apiTokens} where ${apiTokens.id} = ${id})`;
