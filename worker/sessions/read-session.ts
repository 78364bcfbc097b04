import { hashSecret } from "../auth/secrets.ts";
import { findSessionByHash, type SessionRecord, type SignedIn, touchSession } from "../db/sessions.ts";
import type { Services } from "../services.ts";

/** A session ends after this, however much it is used. */
export const SESSION_MS = 7 * 86_400_000;
/** And after this without a request. */
export const IDLE_MS = 86_400_000;
/** How exact `lastUsedAt` is: every request would else be a write. */
const TOUCH_MS = 600_000;

/** Who the cookie's value signs in at this moment, or null. Asked at every request, so what is revoked or blocked ends at once. */
export async function readSession({ db, now }: Pick<Services, "db" | "now">, token: string): Promise<SignedIn | null> {
  const found = await findSessionByHash(db, await hashSecret(token));
  const time = now();
  if (found === null || found.user.isBlocked || !isGood(found.session, time)) return null;
  if (time - found.session.lastUsedAt >= TOUCH_MS) await touchSession(db, found.session.id, time);
  return found;
}

const isGood = ({ expiresAt, lastUsedAt }: SessionRecord, now: number): boolean =>
  expiresAt > now && lastUsedAt + IDLE_MS > now;
