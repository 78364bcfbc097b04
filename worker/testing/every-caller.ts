// Everybody who may knock at the API: by token, by cookie, with what was good once, and with secrets that are for something else.
import { base64url } from "jose";
import { createApiToken, revokeApiToken } from "#schema/api/api-tokens";
import { createJoinToken } from "#schema/api/join-tokens";
import type { Operation, Role } from "#schema/api/operation";
import { createLoginLink, signOut } from "#schema/api/sign-in";
import { updateUser } from "#schema/api/users";
import { ORIGIN, type TestApp, uniqueName } from "./create-test-app.ts";
import { enrolMachine, signMachineToken } from "./enrolled-machine.ts";
import { signIn, tokenOf } from "./test-browser.ts";

export interface KnownCaller {
  readonly name: string;
  /** Null: nobody that the API knows. */
  readonly role: Role | null;
  /** The headers that authenticate, for a request. */
  headersFor(operation: Pick<Operation, "method">, path: string): Promise<Record<string, string>>;
}

const ROLES: readonly Role[] = ["viewer", "admin", "owner"];

export async function createEveryCaller(
  app: TestApp,
): Promise<{ callers: readonly KnownCaller[]; secrets: readonly string[] }> {
  const secrets: string[] = [];
  const keep = (secret: string): string => {
    secrets.push(secret);
    return secret;
  };
  const bearer = (name: string, role: Role | null, token: string): KnownCaller => ({
    name,
    role,
    headersFor: async () => ({ authorization: `Bearer ${token}` }),
  });
  const cookie = (name: string, role: Role | null, value: string): KnownCaller => ({
    name,
    role,
    headersFor: async () => ({ cookie: `__Host-becket_session=${value}`, origin: ORIGIN }),
  });
  const makeToken = async (role: Role) =>
    (await app.call(createApiToken, { body: { name: uniqueName(role), role } })).reply;
  const makeSession = async (role: Role) => {
    const { browser, user } = await signIn(app, { name: uniqueName(`${role} in person`), role });
    return { browser, user, value: keep(browser.cookies.get("__Host-becket_session") ?? "") };
  };

  const known: KnownCaller[] = [];
  for (const role of ROLES) {
    known.push(bearer(`${role}'s API token`, role, keep((await makeToken(role)).token)));
    known.push(cookie(`${role}'s session`, role, (await makeSession(role)).value));
  }
  const revoked = await makeToken("owner");
  await app.call(revokeApiToken, { params: { apiTokenId: revoked.id } });
  const left = await makeSession("owner");
  await left.browser.call(signOut, {});
  const blocked = await makeSession("owner");
  await app.call(updateUser, { params: { userId: blocked.user.id }, body: { isBlocked: true } });
  const { token: joinToken } = (await app.call(createJoinToken, { body: {} })).reply;
  const link = (await app.call(createLoginLink, { body: { name: uniqueName("linked"), role: "owner" } })).reply;
  const machine = await enrolMachine(app);
  const { value: ownersSession } = await makeSession("owner");

  return {
    secrets,
    callers: [
      ...known,
      { name: "nobody", role: null, headersFor: async () => ({}) },
      bearer("an API token that never was", null, `bkt_${base64url.encode(new Uint8Array(32))}`),
      bearer("a revoked API token of an owner", null, keep(revoked.token)),
      bearer("a join token", null, keep(joinToken)),
      bearer("the token of a sign-in link", null, keep(tokenOf(link.url))),
      bearer("an owner's session sent as a token", null, ownersSession),
      cookie("an owner's session that was left", null, left.value),
      cookie("the session of an owner who is blocked", null, blocked.value),
      cookie("an API token sent as a session", null, secrets[0] ?? ""),
      {
        name: "a machine with its own token",
        role: null,
        headersFor: async ({ method }, htu) => {
          const token = await signMachineToken(machine.identity, machine.machineId, { htu, htm: method.toUpperCase() });
          return { authorization: `Bearer ${token}` };
        },
      },
    ],
  };
}
