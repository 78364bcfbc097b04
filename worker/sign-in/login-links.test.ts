import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { listAuditEvents } from "#schema/api/audit-events";
import { createLoginLink, getMe, getSignInOptions, signInByLink, signOut } from "#schema/api/sign-in";
import { updateUser } from "#schema/api/users";
import { createFailureLimit } from "../auth/failure-limit.ts";
import { createTestApp, ORIGIN, uniqueName } from "../testing/create-test-app.ts";
import { createTestBrowser, signIn, tokenOf } from "../testing/test-browser.ts";

const app = createTestApp();
const createLink = async (body: object) => (await app.call(createLoginLink, { body })).reply;

describe("a sign-in link", () => {
  it("signs the user in that it was made for, with that user's role", async () => {
    const { browser, user } = await signIn(app, { name: "Ann", role: "admin" });
    const me = (await browser.call(getMe)).reply;
    expect(me).toMatchObject({
      actor: { kind: "user", id: user.id, name: "Ann" },
      role: "admin",
      user: { id: user.id, name: "Ann", email: null, knownBy: "link" },
      session: { isCurrent: true, signedInBy: "link" },
    });
    expect(me.permissions).toContain("createMesh");
    expect(me.permissions).not.toContain("listUsers");
    expect(me.user?.lastSignInAt).not.toBeNull();
  });

  it("has its token where no server, proxy or log sees it, and none of it is stored", async () => {
    const { url } = await createLink({ name: "nobody's" });
    expect(url).toMatch(new RegExp(`^${ORIGIN}/sign-in#link=bkl_[A-Za-z0-9_-]{43}$`));
    const { results } = await env.DB.prepare("SELECT * FROM login_links").all();
    expect(JSON.stringify(results)).not.toContain(tokenOf(url).slice("bkl_".length));
  });

  it("works once, also when it is sent twice at once", async () => {
    const body = { token: tokenOf((await createLink({ name: "once" })).url) };
    const answers = await Promise.all([1, 2, 3].map(() => createTestBrowser(app).call(signInByLink, { body })));
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 401, 401]);
    expect((await createTestBrowser(app).call(signInByLink, { body })).problem.code).toBe("login_link_invalid");
  });

  it("is not used up by a request of another site's page, of a prefetcher, or without a body", async () => {
    const { url } = await createLink({ name: "kept" });
    const body = { token: tokenOf(url) };
    const browser = createTestBrowser(app);
    const foreign = await browser.call(signInByLink, { body, headers: { origin: "https://evil.example" } });
    expect(foreign.problem.code).toBe("origin_mismatched");
    expect((await app.fetch("/api/v1/sign-in/link")).status).toBe(405);
    expect((await browser.call(signInByLink, { body: {} })).problem.code).toBe("validation_failed");
    expect((await browser.call(signInByLink, { body })).status).toBe(204);
  });

  it("ends", async () => {
    const { url, expiresAt } = await createLink({ name: "late", expiresInSeconds: 60 });
    const later = createTestApp({ now: () => Date.parse(expiresAt) });
    const answer = await createTestBrowser(later).call(signInByLink, { body: { token: tokenOf(url) } });
    expect(answer.problem.code).toBe("login_link_invalid");
  });

  it("is for the same user each time it is made for one name, in any case, and for any user by id", async () => {
    const first = await createLink({ name: "Same", role: "admin" });
    expect((await createLink({ name: "same" })).user).toEqual(first.user);
    expect((await createLink({ userId: first.user.id })).user).toEqual(first.user);
    const other = await app.call(createLoginLink, { body: { name: "SAME", role: "owner" } });
    expect(other.problem).toMatchObject({ code: "name_taken", detail: "role: Same is there and has the role admin" });
  });

  it("makes a viewer unless a role is said", async () => {
    expect((await createLink({ name: uniqueName("new") })).user.role).toBe("viewer");
  });

  it("is made for somebody, and not for two", async () => {
    for (const body of [{}, { name: "a", userId: "usr_01arz3ndektsv4rrffq69g5fav" }]) {
      expect((await app.call(createLoginLink, { body })).problem.errors?.[0]?.path).toBe("name");
    }
    const unknown = await app.call(createLoginLink, { body: { userId: "usr_01arz3ndektsv4rrffq69g5fav" } });
    expect(unknown.problem).toMatchObject({ code: "user_not_found", errors: [{ path: "userId" }] });
  });

  it("lets no blocked user in", async () => {
    const { url, user } = await createLink({ name: "blocked" });
    const params = { userId: user.id };
    await app.call(updateUser, { params, body: { isBlocked: true } });
    const used = await createTestBrowser(app).call(signInByLink, { body: { token: tokenOf(url) } });
    expect(used.problem.code).toBe("login_link_invalid");
    expect((await app.call(createLoginLink, { body: params })).problem.code).toBe("user_blocked");
  });

  it("is made by owners only", async () => {
    expect((await app.call(createLoginLink, { body: { name: "x" }, as: "admin" })).problem.code).toBe("forbidden");
  });

  it("leaves a trace without its token", async () => {
    const { id, url, user } = await createLink({ name: "traced" });
    const [event] = (await app.call(listAuditEvents, { query: { subjectId: id } })).reply.items;
    expect(event).toMatchObject({ action: "login_link.created", details: { userId: user.id } });
    expect(JSON.stringify(event)).not.toContain(tokenOf(url));
  });
});

describe("guessing links", () => {
  it("is limited by address, and keeps nobody from signing out", async () => {
    const signInLimit = createFailureLimit("cf-connecting-ip", () => 0, { burst: 3, perSecond: 0 });
    const limited = createTestApp({ signInLimit });
    const headers = { "cf-connecting-ip": "192.0.2.1" };
    const browser = createTestBrowser(limited);
    const guess = async (from = headers) =>
      (await browser.call(signInByLink, { body: { token: "bkl_guess" }, headers: from })).problem.code;
    for (let count = 0; count < 3; count++) expect(await guess()).toBe("login_link_invalid");
    expect(await guess()).toBe("rate_limited");
    expect(await guess({ "cf-connecting-ip": "192.0.2.2" })).toBe("login_link_invalid");
    expect((await browser.call(signOut, { headers })).status).toBe(204);
    expect((await browser.call(getSignInOptions, { headers })).reply).toEqual({ oidc: null });
  });
});
