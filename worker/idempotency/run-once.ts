// Idempotency-Key: a create that is sent again within 24 h gets the first one's answer. Only successes are kept: a refusal changed
// nothing, so the repeated request is judged anew. A request that died half-way blocks its key for a minute, then it may run again.
import { err, ok, type Result } from "#schema/result";
import type { Caller } from "../auth/caller.ts";
import { hashSecret } from "../auth/secrets.ts";
import { claimIdempotencyKey, releaseClaim, storeAnswer } from "../db/idempotency-keys.ts";
import { type Failure, fieldFailure } from "../failure.ts";
import type { Services } from "../services.ts";
import { type Answer, createNonce, openAnswer, sealAnswer } from "./sealed-answer.ts";

const KEEP_MS = 24 * 3_600_000;
const CLAIM_MS = 60_000;
const MAX_KEY_LENGTH = 255;

export interface IdempotentRequest {
  readonly key: string;
  readonly caller: Caller;
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

type OnceFailure = Failure<"validation_failed" | "idempotency_key_reused" | "idempotency_in_progress">;

export async function runOnce<F extends Failure>(
  services: Pick<Services, "db" | "now" | "random" | "ids">,
  request: IdempotentRequest,
  run: () => Promise<Result<Answer, F>>,
): Promise<Result<Answer & { readonly isRepeated?: boolean }, F | OnceFailure>> {
  if (!/^[\x21-\x7e]+$/.test(request.key) || request.key.length > MAX_KEY_LENGTH) {
    return err(fieldFailure("validation_failed", "Idempotency-Key", "must be 1 to 255 visible ASCII characters"));
  }
  const { db } = services;
  const now = services.now();
  const secret = { callerToken: request.caller.secret, idempotencyKey: request.key };
  const keyHash = await hashSecret(JSON.stringify(["key", await hashSecret(request.caller.secret), request.key]));
  const requestHash = await hashSecret(JSON.stringify([request.method, request.path, request.body ?? null]));
  const claimId = services.ids.request();
  const times = { now, claimedUntil: now + CLAIM_MS, expiresAt: now + KEEP_MS };
  const row = await claimIdempotencyKey(db, { keyHash, requestHash, claimId, ...times });
  if (row.requestHash !== requestHash) return err({ code: "idempotency_key_reused" });
  if (row.sealedAnswer !== null) return ok({ ...(await openAnswer(row.sealedAnswer, secret)), isRepeated: true });
  if (row.claimId !== claimId) return err({ code: "idempotency_in_progress" });

  const result = await releasing(run, () => releaseClaim(db, keyHash, claimId));
  if (!result.ok) {
    await releaseClaim(db, keyHash, claimId);
    return result;
  }
  const sealedAnswer = await sealAnswer(result.value, secret, createNonce(services.random));
  await storeAnswer(db, { keyHash, claimId, sealedAnswer });
  return result;
}

/** Lets go of the claim when the request throws, so that its repetition need not wait. */
async function releasing<T>(run: () => Promise<T>, release: () => Promise<void>): Promise<T> {
  let isDone = false;
  try {
    const value = await run();
    isDone = true;
    return value;
  } finally {
    // A release that fails must not hide why the request did; the claim runs out by itself.
    if (!isDone) await release().catch(() => undefined);
  }
}
