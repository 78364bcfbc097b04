import { and, asc, eq, gt, isNull } from "drizzle-orm";
import { z } from "zod";
import { type JoinTokenId, MeshId } from "#schema/ids";
import type { PageRequest } from "../page.ts";
import type { Database, Statement } from "./database.ts";
import { parseTags, renderTags } from "./machines.ts";
import { joinTokens } from "./tables.ts";

export interface JoinTokenRecord {
  readonly id: JoinTokenId;
  readonly expiresAt: number;
  readonly maxUses: number | null;
  readonly uses: number;
  readonly meshIds: readonly MeshId[] | null;
  readonly revokedAt: number | null;
  readonly createdAt: number;
  readonly tags: readonly string[];
}

/** One row more than the limit when there is a next page. */
export async function listJoinTokenRows(
  db: Database,
  { after, limit }: PageRequest<JoinTokenId>,
): Promise<JoinTokenRecord[]> {
  const rows = await db
    .select()
    .from(joinTokens)
    .where(after === null ? undefined : gt(joinTokens.id, after))
    .orderBy(asc(joinTokens.id))
    .limit(limit + 1);
  return rows.map(toJoinTokenRecord);
}

export async function findJoinToken(db: Database, id: JoinTokenId): Promise<JoinTokenRecord | null> {
  const [row] = await db.select().from(joinTokens).where(eq(joinTokens.id, id));
  return row === undefined ? null : toJoinTokenRecord(row);
}

export const insertJoinToken = (db: Database, token: JoinTokenRecord & { readonly tokenHash: string }): Statement =>
  db.insert(joinTokens).values({
    id: token.id,
    tokenHash: token.tokenHash,
    expiresAt: token.expiresAt,
    maxUses: token.maxUses,
    uses: token.uses,
    meshIds: token.meshIds === null ? null : JSON.stringify(token.meshIds),
    revokedAt: token.revokedAt,
    createdAt: token.createdAt,
    tags: renderTags(token.tags),
  });

/** Keeps the time of the first revocation. */
export const revokeJoinTokenRow = (db: Database, id: JoinTokenId, revokedAt: number): Statement =>
  db
    .update(joinTokens)
    .set({ revokedAt })
    .where(and(eq(joinTokens.id, id), isNull(joinTokens.revokedAt)));

const MeshIds = z.array(MeshId);

export const toJoinTokenRecord = (row: typeof joinTokens.$inferSelect): JoinTokenRecord => ({
  id: row.id,
  expiresAt: row.expiresAt,
  maxUses: row.maxUses,
  uses: row.uses,
  meshIds: row.meshIds === null ? null : MeshIds.parse(JSON.parse(row.meshIds)),
  revokedAt: row.revokedAt,
  createdAt: row.createdAt,
  tags: parseTags(row.tags),
});
