import { and, eq, gt, lte } from "drizzle-orm";
import type { UserId } from "#schema/ids";
import type { Database, Statement } from "./database.ts";
import { loginLinks } from "./tables.ts";

export type LoginLinkRecord = Readonly<typeof loginLinks.$inferSelect>;

export const insertLoginLink = (db: Database, link: LoginLinkRecord): Statement => db.insert(loginLinks).values(link);

/** Takes the link away, so that it signs in once however often it is sent; null when there is none that is good. */
export async function takeLoginLink(db: Database, tokenHash: string, now: number): Promise<{ userId: UserId } | null> {
  const [row] = await db
    .delete(loginLinks)
    .where(and(eq(loginLinks.tokenHash, tokenHash), gt(loginLinks.expiresAt, now)))
    .returning({ userId: loginLinks.userId });
  return row ?? null;
}

export const deleteExpiredLoginLinks = (db: Database, now: number): Statement =>
  db.delete(loginLinks).where(lte(loginLinks.expiresAt, now));
