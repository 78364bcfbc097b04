import { createAuditEvent } from "../audit/new-event.ts";
import { deleteSession } from "../db/sessions.ts";
import type { Services } from "../services.ts";
import { dismissWatchers } from "../sessions/dismiss-watchers.ts";
import { readSession } from "../sessions/read-session.ts";

/** @param token the session's cookie; null, or one that is no longer good: there is nothing to end */
export async function signOut(
  services: Pick<Services, "db" | "objects" | "log" | "now" | "ids">,
  token: string | null,
  requestId: string,
): Promise<void> {
  const signedIn = token === null ? null : await readSession(services, token);
  if (signedIn === null) return;
  const { user, session } = signedIn;
  const cause = { actor: { kind: "user", id: user.id, name: user.name }, requestId } as const;
  const details = { userId: user.id };
  const event = createAuditEvent(services, cause, { action: "session.revoked", subjectId: session.id, details });
  await deleteSession(services.db, session.id, event);
  // Of the same browser's other tabs.
  await dismissWatchers(services, `session:${session.id}`);
}
