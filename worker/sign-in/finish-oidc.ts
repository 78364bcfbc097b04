import type { AuthorizationReply, SignInAttempt } from "#schema/oidc";
import type { Admission } from "#schema/oidc-settings";
import { err, ok } from "#schema/result";
import { createAuditEvent } from "../audit/new-event.ts";
import type { Cookie } from "../auth/cookies.ts";
import { isSameSecret } from "../auth/secrets.ts";
import { promoteFirstOwner, type UserRecord } from "../db/users.ts";
import type { OidcResult } from "../oidc/failure.ts";
import { findRefusal, mayBeFirstOwner, type Person } from "../oidc/person.ts";
import type { OidcProvider } from "../oidc/provider.ts";
import type { Services } from "../services.ts";
import { startSession } from "../sessions/start-session.ts";
import { createUser } from "../users/create-user.ts";

export interface OidcReturn {
  readonly reply: AuthorizationReply;
  /** Of this browser's cookie. */
  readonly attempt: SignInAttempt;
  readonly redirectUri: string;
  readonly userAgent: string | null;
  readonly replaces: string | null;
  readonly requestId: string;
}

export const isAnswerTo = async ({ state }: AuthorizationReply, attempt: SignInAttempt | null): Promise<boolean> =>
  attempt !== null && state !== undefined && (await isSameSecret(state, attempt.state));

/** The second half of a sign-in at the provider, after its answer was found to be to this browser's attempt. */
export async function finishOidc(
  services: Pick<Services, "db" | "now" | "random" | "ids" | "objects" | "log">,
  provider: OidcProvider,
  { reply, attempt, redirectUri, ...browser }: OidcReturn,
): Promise<OidcResult<Cookie>> {
  if (reply.error !== undefined) return err({ code: "provider_refused", reason: `authorization: ${reply.error}` });
  if (reply.code === undefined) return err({ code: "provider_invalid", reason: "authorization: no code" });
  const person = await provider.finish({ code: reply.code, issuer: reply.iss ?? null }, attempt, redirectUri);
  if (!person.ok) return person;
  const { issuer, admission } = provider.settings;
  // At every sign-in: who left the company, or the group, does not come in again.
  const refusal = findRefusal(admission, person.value);
  if (refusal !== null) return err({ code: "not_allowed", reason: refusal });
  const { subject, name, email } = person.value;
  const found = await createUser(services, {
    identity: { issuer, subject },
    name,
    email,
    role: "viewer",
    mayBeFirstOwner: mayBeFirstOwner(admission, person.value),
    actor: null,
    requestId: browser.requestId,
  });
  const user = await promoteNamedOwner(services, found, {
    person: person.value,
    admission,
    requestId: browser.requestId,
  });
  if (user.isBlocked) return err({ code: "user_blocked", reason: "the user is blocked" });
  return ok(await startSession(services, { user, signedInBy: "oidc", person: { name, email }, ...browser }));
}

/** The operator may name the first owner after that person came as a viewer. */
async function promoteNamedOwner(
  services: Pick<Services, "db" | "now" | "ids">,
  user: UserRecord,
  { person, admission, requestId }: { person: Person; admission: Admission; requestId: string },
): Promise<UserRecord> {
  const isNamed = admission.firstOwner !== null && mayBeFirstOwner(admission, person);
  if (!isNamed || user.isBlocked || user.role === "owner") return user;
  const cause = { actor: { kind: "system", id: null, name: "first owner" }, requestId } as const;
  const change = { action: "user.updated", subjectId: user.id, details: { role: "owner" } } as const;
  return (await promoteFirstOwner(services.db, user.id, createAuditEvent(services, cause, change))) ?? user;
}
