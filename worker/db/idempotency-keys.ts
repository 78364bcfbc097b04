import { and, eq, isNull, lte, sql } from "drizzle-orm";
import type { Database } from "./database.ts";
import { idempotencyKeys } from "./tables.ts";

export interface IdempotencyClaim {
  readonly keyHash: string;
  readonly requestHash: string;
  readonly claimId: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly claimedUntil: number;
  readonly expiresAt: number;
}

export interface IdempotencyRow {
  readonly requestHash: string;
  readonly claimId: string;
  readonly sealedAnswer: string | null;
}

/**
 * Claims the key, unless another request holds it, and answers what is stored then: our own claim id means that the claim is ours.
 * A row that expired, or whose request never finished, is taken over.
 */
export async function claimIdempotencyKey(db: Database, claim: IdempotencyClaim): Promise<IdempotencyRow> {
  const { keyHash, requestHash, claimId, claimedUntil, expiresAt, now } = claim;
  const [, , rows] = await db.batch([
    db.delete(idempotencyKeys).where(lte(idempotencyKeys.expiresAt, now)),
    db
      .insert(idempotencyKeys)
      .values({ keyHash, requestHash, claimId, claimedUntil, expiresAt })
      .onConflictDoUpdate({
        target: idempotencyKeys.keyHash,
        set: { claimId, claimedUntil },
        setWhere: sql`${idempotencyKeys.sealedAnswer} is null and ${idempotencyKeys.claimedUntil} < ${now}
          and ${idempotencyKeys.requestHash} = excluded.request_hash`,
      }),
    db
      .select({
        requestHash: idempotencyKeys.requestHash,
        claimId: idempotencyKeys.claimId,
        sealedAnswer: idempotencyKeys.sealedAnswer,
      })
      .from(idempotencyKeys)
      .where(eq(idempotencyKeys.keyHash, keyHash)),
  ]);
  const row = rows[0];
  if (row === undefined) throw new Error("a claimed idempotency key is not there");
  return row;
}

export async function storeAnswer(
  db: Database,
  { keyHash, claimId, sealedAnswer }: { keyHash: string; claimId: string; sealedAnswer: string },
): Promise<void> {
  await db.update(idempotencyKeys).set({ sealedAnswer }).where(isClaim(keyHash, claimId));
}

export async function releaseClaim(db: Database, keyHash: string, claimId: string): Promise<void> {
  await db.delete(idempotencyKeys).where(isClaim(keyHash, claimId));
}

const isClaim = (keyHash: string, claimId: string) =>
  and(eq(idempotencyKeys.keyHash, keyHash), eq(idempotencyKeys.claimId, claimId), isNull(idempotencyKeys.sealedAnswer));
