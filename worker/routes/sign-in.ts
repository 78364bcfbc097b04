import type { Operation } from "#schema/api/operation";
import * as operations from "#schema/api/sign-in";
import { ok } from "#schema/result";
import { type Caller, isAllowed } from "../auth/caller.ts";
import type { Services } from "../services.ts";
import { toSession } from "../sessions/sessions.ts";
import { createLoginLink, signInByLink } from "../sign-in/login-links.ts";
import { signOut } from "../sign-in/sign-out.ts";
import { toUser } from "../users/users.ts";
import type { Mount, MountOpen } from "./api.ts";

interface Parts {
  readonly mount: Mount;
  readonly mountOpen: MountOpen;
  /** All that are mounted; filled by others as well. */
  readonly operations: readonly Operation[];
}

export function mountSignIn({ mount, mountOpen, operations: all }: Parts, services: Services): void {
  mountOpen(operations.getSignInOptions, async () => ok({ reply: toOptions(services) }));
  mountOpen(operations.signInByLink, async ({ body, browser }) => {
    const { requestId, userAgent, session } = browser;
    const link = { token: body.token, requestId, userAgent, replaces: session };
    const cookie = await services.signInLimit.guard(browser.headers, () => signInByLink(services, link));
    return cookie.ok ? ok({ reply: null, cookie: cookie.value }) : cookie;
  });
  mountOpen(operations.signOut, async ({ browser }) => {
    await signOut(services, browser.session, browser.requestId);
    return ok({ reply: null, cookie: { name: "session", value: "", maxAgeSeconds: 0 } });
  });
  mount(operations.getMe, async ({ caller }) => ok(toMe(caller, all)));
  mount(operations.createLoginLink, ({ body, origin, cause }) => createLoginLink(services, body, { origin, cause }));
}

const toOptions = ({ oidc }: Pick<Services, "oidc">): operations.SignInOptions => ({
  oidc: oidc === null ? null : { name: oidc.settings.name, path: operations.SIGN_IN_PATHS.oidc },
});

/** Permissions come from what the API itself checks, so they can't say anything else. */
const toMe = (caller: Caller, all: readonly Operation[]): operations.Me => ({
  actor: caller.actor,
  role: caller.role,
  user: caller.signedIn === null ? null : toUser(caller.signedIn.user),
  session: caller.signedIn === null ? null : toSession(caller.signedIn.session, caller),
  permissions: all.filter(({ role }) => isAllowed(caller.role, role)).map(({ id }) => id),
});
