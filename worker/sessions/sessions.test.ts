import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { createApiToken } from "#schema/api/api-tokens";
import { listAuditEvents } from "#schema/api/audit-events";
import { createJoinToken } from "#schema/api/join-tokens";
import { createMesh, listMeshes } from "#schema/api/meshes";
import { getMe, signOut } from "#schema/api/sign-in";
import { listSessions, revokeSession } from "#schema/api/users";
import { createTestApp, ORIGIN, OWNER_TOKEN, parseProblem, uniqueName } from "../testing/create-test-app.ts";
import { createTestBrowser, signIn } from "../testing/test-browser.ts";

const app = createTestApp();
const COOKIE = "__Host-becket_session";
const HOUR_MS = 3_600_000;
const at = (later: number) => createTestApp({ now: () => Date.now() + later });
const signInAs = (role: "owner" | "admin" | "viewer") => signIn(app, { name: uniqueName("user"), role });
const headersOf = (cookies: ReadonlyMap<string, string>) => ({ cookie: `${COOKIE}=${cookies.get(COOKIE)}` });
const mesh = () => JSON.stringify({ name: uniqueName("mesh"), cidr: "10.1.0.0/24" });

describe("the session's cookie", () => {
  it("is bound to this host, out of scripts' reach, and stored as a hash", async () => {
    const browser = createTestBrowser(app);
    let header = "";
    const fetch = browser.fetch;
    const watched = {
      ...browser,
      async fetch(path: string, init?: RequestInit) {
        const response = await fetch(path, init);
        header = response.headers.get("set-cookie") ?? header;
        return response;
      },
    };
    await signIn(app, { name: "watched" }, watched);
    const token = browser.cookies.get(COOKIE) ?? "";
    expect(token).toMatch(/^bks_[A-Za-z0-9_-]{43}$/);
    const { results } = await env.DB.prepare("SELECT * FROM sessions").all();
    expect(results.length).toBeGreaterThan(0);
    expect(JSON.stringify(results)).not.toContain(token.slice("bks_".length));
  });

  it("has another name on plain http, which https does not read", async () => {
    const plain = createTestApp({ origin: "http://127.0.0.1:8787" });
    const { browser } = await signIn(app, { name: "plain" });
    const cookie = `becket_session=${browser.cookies.get(COOKIE)}`;
    expect((await plain.fetch("/api/v1/me", { headers: { cookie } })).status).toBe(200);
    expect((await app.fetch("/api/v1/me", { headers: { cookie } })).status).toBe(401);
  });

  it("is not asked when there is a token, so a wrong token stays wrong", async () => {
    const { browser } = await signInAs("owner");
    const headers = { ...headersOf(browser.cookies), authorization: "Bearer nonsense" };
    expect((await app.fetch("/api/v1/me", { headers })).status).toBe(401);
    const good = { ...headers, authorization: `Bearer ${OWNER_TOKEN}` };
    expect(await (await app.fetch("/api/v1/me", { headers: good })).json()).toMatchObject({
      actor: { kind: "owner_token" },
      user: null,
      session: null,
    });
  });

  it.each(["", "x", "bks_", `bks_${"A".repeat(43)}`, "%00", "=;=;", "a b"])("opens nothing as %j", async (value) => {
    const headers = { cookie: `${COOKIE}=${value}` };
    expect((await parseProblem(await app.fetch("/api/v1/me", { headers }))).code).toBe("unauthenticated");
  });
});

describe("requests of other sites' pages", () => {
  it.each([
    null,
    "null",
    "https://evil.example",
    "http://becket.test",
    "https://becket.test:8443",
    `${ORIGIN}.evil.example`,
  ])("change nothing: Origin %j", async (origin) => {
    const { browser } = await signInAs("owner");
    const headers: Record<string, string> = { ...headersOf(browser.cookies), "content-type": "application/json" };
    if (origin !== null) headers.origin = origin;
    const post = () => app.fetch("/api/v1/meshes", { method: "POST", headers, body: mesh() });
    expect((await parseProblem(await post())).code).toBe("origin_mismatched");
    headers.origin = ORIGIN;
    expect((await post()).status).toBe(201);
  });

  it("may read, which the same-origin policy keeps from them, but open no WebSocket", async () => {
    const { browser } = await signInAs("viewer");
    const headers = { ...headersOf(browser.cookies), origin: "https://evil.example" };
    expect((await app.fetch("/api/v1/me", { headers })).status).toBe(200);
    const upgrade = await app.fetch("/api/v1/me", { headers: { ...headers, upgrade: "websocket" } });
    expect((await parseProblem(upgrade)).code).toBe("origin_mismatched");
  });

  it("sign nobody out", async () => {
    const { browser } = await signInAs("viewer");
    const answer = await browser.call(signOut, { headers: { origin: "https://evil.example" } });
    expect(answer.problem.code).toBe("origin_mismatched");
    expect((await browser.call(getMe)).status).toBe(200);
  });

  it("are not asked for an Origin when they have a token: a script is no page", async () => {
    expect((await app.call(createMesh, { body: JSON.parse(mesh()) })).status).toBe(201);
  });
});

describe("a session", () => {
  it("allows what the role allows", async () => {
    const { browser } = await signInAs("viewer");
    expect((await browser.call(listMeshes)).status).toBe(200);
    expect((await browser.call(createJoinToken, { body: {} })).problem.code).toBe("forbidden");
  });

  it("ends a day after it was used last, and a week after it began", async () => {
    const { browser } = await signInAs("viewer");
    const isGood = async (hours: number) =>
      (await at(hours * HOUR_MS).fetch("/api/v1/me", { headers: headersOf(browser.cookies) })).status === 200;
    for (let hours = 0; hours < 24 * 7; hours += 23) expect(await isGood(hours), `after ${hours} h`).toBe(true);
    expect(await isGood(24 * 7)).toBe(false);
    const { browser: idle } = await signInAs("viewer");
    const headers = headersOf(idle.cookies);
    expect((await at(24 * HOUR_MS).fetch("/api/v1/me", { headers })).status).toBe(401);
  });

  it("ends with signing out, here and in the database, and leaves a trace", async () => {
    const { browser } = await signInAs("viewer");
    const headers = headersOf(browser.cookies);
    const { session } = (await browser.call(getMe)).reply;
    expect((await browser.call(signOut)).status).toBe(204);
    expect(browser.cookies.has(COOKIE)).toBe(false);
    expect((await app.fetch("/api/v1/me", { headers })).status).toBe(401);
    expect((await browser.call(signOut)).status).toBe(204);
    const query = { subjectId: session?.id ?? "" };
    const actions = (await app.call(listAuditEvents, { query })).reply.items.map(({ action }) => action);
    expect(actions).toEqual(["session.revoked", "session.created"]);
  });

  it("ends when the browser signs in anew, which gets a token that nobody saw before", async () => {
    const { browser } = await signInAs("viewer");
    const headers = headersOf(browser.cookies);
    await signIn(app, { name: "somebody else" }, browser);
    expect(headersOf(browser.cookies)).not.toEqual(headers);
    expect((await app.fetch("/api/v1/me", { headers })).status).toBe(401);
    expect((await browser.call(getMe)).reply.user?.name).toBe("somebody else");
  });

  it("answers a repeated create to its own browser", async () => {
    const { browser } = await signInAs("owner");
    const create = () =>
      browser.call(createApiToken, { body: { name: "x", role: "viewer" }, headers: { "idempotency-key": "again" } });
    expect((await create()).reply).toEqual((await create()).reply);
  });
});

describe("the list of sessions", () => {
  it("shows one's own, with the browser that each is of, and which one asks", async () => {
    const name = uniqueName("user");
    const one = await signIn(app, { name, headers: { "user-agent": "Firefox" } });
    const two = await signIn(app, { name, headers: { "user-agent": "x".repeat(2_000) } });
    const { items } = (await one.browser.call(listSessions)).reply;
    expect(items).toMatchObject([
      { userAgent: "Firefox", isCurrent: true, userId: one.user.id },
      { userAgent: "x".repeat(300), isCurrent: false },
    ]);
    const params = { sessionId: items[1]?.id ?? "" };
    expect((await one.browser.call(revokeSession, { params })).status).toBe(204);
    expect((await two.browser.call(getMe)).problem.code).toBe("unauthenticated");
    expect((await one.browser.call(listSessions)).reply.items).toHaveLength(1);
  });

  it("shows another user's, and ends them, for owners only", async () => {
    const [owner, admin, victim] = [await signInAs("owner"), await signInAs("admin"), await signInAs("viewer")];
    const query = { userId: victim.user.id };
    expect((await admin.browser.call(listSessions, { query })).problem.code).toBe("forbidden");
    const [session] = (await owner.browser.call(listSessions, { query })).reply.items;
    const params = { sessionId: session?.id ?? "" };
    expect((await admin.browser.call(revokeSession, { params })).problem.code).toBe("session_not_found");
    expect((await app.call(revokeSession, { params, as: "admin" })).problem.code).toBe("session_not_found");
    expect((await owner.browser.call(revokeSession, { params })).status).toBe(204);
    expect((await victim.browser.call(getMe)).problem.code).toBe("unauthenticated");
    const event = (await app.call(listAuditEvents, { query: { subjectId: params.sessionId } })).reply.items[0];
    expect(event).toMatchObject({ action: "session.revoked", actor: { kind: "user", id: owner.user.id } });
  });

  it("is empty for a token, which is nobody's", async () => {
    expect((await app.call(listSessions)).reply.items).toEqual([]);
  });
});

describe("the audit trail", () => {
  it("names the user, and is filtered by who did it", async () => {
    const { browser, user } = await signInAs("admin");
    const { id } = (await browser.call(createJoinToken, { body: {} })).reply;
    const { items } = (await app.call(listAuditEvents, { query: { actorId: user.id } })).reply;
    expect(items.map(({ action }) => action)).toEqual(["join_token.created", "session.created"]);
    expect(items[0]).toMatchObject({ subjectId: id, actor: { kind: "user", id: user.id, name: user.name } });
  });
});
