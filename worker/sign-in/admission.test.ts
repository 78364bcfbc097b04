import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { listAuditEvents } from "#schema/api/audit-events";
import { getMe } from "#schema/api/sign-in";
import { listUsers, removeUser, updateUser } from "#schema/api/users";
import type { OidcVariables } from "#schema/oidc-settings";
import { createFakeProvider, type FakeProvider } from "../testing/fake-provider.ts";
import { signIn } from "../testing/test-browser.ts";
import { createOidcApp, walk } from "../testing/test-oidc.ts";

let provider: FakeProvider;
beforeEach(async () => {
  provider = await createFakeProvider();
  await env.DB.batch(["users", "sessions", "login_links"].map((table) => env.DB.prepare(`DELETE FROM ${table}`)));
});

/** Signs somebody in; the role, or the code of what went wrong. */
async function enter(person: Record<string, unknown> = {}, variables: OidcVariables = {}): Promise<string> {
  const app = createOidcApp(provider, { variables });
  provider.behaviour = { claims: person, userInfo: person.sub === undefined ? {} : { sub: person.sub } };
  const { browser, error } = await walk(app, provider);
  return error ?? (await browser.call(getMe)).reply.role;
}

describe("who gets in", () => {
  it.each([
    [{}, "owner"],
    [{ email: "ann@EXAMPLE.ORG" }, "owner"],
    [{ email: "ann@example.com" }, "not_allowed"],
    [{ email: "ann@sub.example.org" }, "not_allowed"],
    [{ email: "ann@example.org.evil.example" }, "not_allowed"],
    [{ email: undefined }, "not_allowed"],
    [{ email_verified: false }, "not_allowed"],
    [{ email_verified: undefined }, "not_allowed"],
    [{ email_verified: "false" }, "not_allowed"],
  ])("has a verified address of an allowed domain: %j", async (person, outcome) => {
    expect(await enter(person)).toBe(outcome);
  });

  it.each([
    [{ groups: ["staff", "network"] }, "owner"],
    [{ groups: "network" }, "owner"],
    [{ groups: ["Network"] }, "not_allowed"],
    [{ groups: [] }, "not_allowed"],
    [{}, "not_allowed"],
  ])("or is in an allowed group: %j", async (person, outcome) => {
    const variables = { BECKET_OIDC_ALLOWED_DOMAINS: "", BECKET_OIDC_ALLOWED_GROUPS: "network,ops" };
    expect(await enter({ email: undefined, ...person }, variables)).toBe(outcome);
  });

  it("must keep both rules where both are there", async () => {
    const variables = { BECKET_OIDC_ALLOWED_GROUPS: "network", BECKET_OIDC_GROUPS_CLAIM: "https://example.org/roles" };
    expect(await enter({ "https://example.org/roles": ["network"], email: "ann@example.com" }, variables)).toBe(
      "not_allowed",
    );
    expect(await enter({ "https://example.org/roles": ["network"] }, variables)).toBe("owner");
  });

  it("is asked again at each sign-in", async () => {
    expect(await enter()).toBe("owner");
    expect(await enter({ email: "ann@example.com" })).toBe("not_allowed");
  });

  it("is not who is blocked", async () => {
    const app = createOidcApp(provider);
    expect(await enter()).toBe("owner");
    await enter({ sub: "bob", name: "Bob" });
    const users = (await app.call(listUsers)).reply.items;
    const bob = users.find(({ name }) => name === "Bob");
    await app.call(updateUser, { params: { userId: bob?.id ?? "" }, body: { isBlocked: true } });
    expect(await enter({ sub: "bob" })).toBe("user_blocked");
    await app.call(removeUser, { params: { userId: bob?.id ?? "" } });
    expect(await enter({ sub: "bob" })).toBe("viewer");
  });
});

describe("the first owner", () => {
  it("is who comes first; everybody after that is a viewer", async () => {
    expect(await enter({ sub: "one" })).toBe("owner");
    expect(await enter({ sub: "two" })).toBe("viewer");
    const { items } = (await createOidcApp(provider).call(listAuditEvents, { query: { action: "user.created" } }))
      .reply;
    expect(items.slice(0, 2).map(({ details }) => details.role)).toEqual(["viewer", "owner"]);
  });

  it("is one, when several come at once", async () => {
    const app = createOidcApp(provider);
    provider.behaviour = { userInfo: null, metadata: { userinfo_endpoint: undefined } };
    const people = await Promise.all(
      ["a", "b", "c", "d"].map(async (sub) => {
        const own = await createFakeProvider();
        own.behaviour = { claims: { sub }, metadata: { userinfo_endpoint: undefined } };
        return walk(createOidcApp(own), own);
      }),
    );
    const roles = await Promise.all(people.map(async ({ browser }) => (await browser.call(getMe)).reply.role));
    expect(roles.sort()).toEqual(["owner", "viewer", "viewer", "viewer"]);
    expect((await app.call(listUsers)).reply.items).toHaveLength(4);
  });

  it("is nobody who comes by the provider while an owner is there", async () => {
    await signIn(createOidcApp(provider), { name: "operator", role: "owner" });
    expect(await enter()).toBe("viewer");
  });

  it("is the person whom the operator named, whenever they come, and nobody else", async () => {
    const named = { BECKET_OIDC_FIRST_OWNER: "Ann@example.org" };
    expect(await enter({ sub: "bob", email: "bob@example.org" }, named)).toBe("viewer");
    expect(await enter({ sub: "eve", email: "ann@example.org", email_verified: false }, named)).toBe("not_allowed");
    expect(await enter({}, named)).toBe("owner");
  });

  it("may be named after they came as a viewer, while there is none", async () => {
    const anybody = { BECKET_OIDC_ALLOWED_DOMAINS: "*" };
    expect(await enter({}, anybody)).toBe("viewer");
    expect(await enter({}, { ...anybody, BECKET_OIDC_FIRST_OWNER: "ann@example.org" })).toBe("owner");
    expect(await enter({ sub: "bob" }, { ...anybody, BECKET_OIDC_FIRST_OWNER: "ann@example.org" })).toBe("viewer");
  });

  it("is nobody where everybody gets in and none is named", async () => {
    expect(await enter({ email: undefined }, { BECKET_OIDC_ALLOWED_DOMAINS: "*" })).toBe("viewer");
    const named = { BECKET_OIDC_ALLOWED_DOMAINS: "*", BECKET_OIDC_FIRST_OWNER: "ann@example.org" };
    expect(await enter({ sub: "eve", email_verified: false }, named)).toBe("viewer");
  });
});
