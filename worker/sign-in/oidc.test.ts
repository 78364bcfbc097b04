import { base64url, SignJWT } from "jose";
import { beforeEach, describe, expect, it } from "vitest";
import { getMe, getSignInOptions } from "#schema/api/sign-in";
import { createFailureLimit } from "../auth/failure-limit.ts";
import { createTestApp, type TestApp } from "../testing/create-test-app.ts";
import { type Behaviour, CLIENT, createFakeProvider, type FakeProvider, ISSUER } from "../testing/fake-provider.ts";
import { createTestBrowser } from "../testing/test-browser.ts";
import { comeBack, createOidcApp, walk } from "../testing/test-oidc.ts";

let provider: FakeProvider;
let app: TestApp;
beforeEach(async () => {
  provider = await createFakeProvider();
  app = createOidcApp(provider);
});
const nowSeconds = () => Math.floor(Date.now() / 1_000);

describe("signing in at the provider", () => {
  it("sends the browser away with PKCE, state and nonce, and keeps what they are for in its cookie", async () => {
    const browser = createTestBrowser(app);
    const response = await browser.fetch("/api/sign-in/oidc");
    expect(response.status).toBe(302);
    const url = new URL(response.headers.get("location") ?? "");
    expect(url.origin + url.pathname).toBe(`${ISSUER}/authorize`);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      tenant: "x",
      response_type: "code",
      client_id: CLIENT.id,
      redirect_uri: "https://becket.test/api/sign-in/oidc/callback",
      scope: "openid email profile",
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: "S256",
    });
    const cookie = response.headers.get("set-cookie");
    expect(cookie).toMatch(/^__Host-becket_sign_in=[\w-]+; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
  });

  it("brings a person in, and back to where they were", async () => {
    const { browser, location, error } = await walk(app, provider, { returnTo: "/machines?online=1" });
    expect({ location, error }).toEqual({ location: "/machines?online=1", error: null });
    expect([...browser.cookies.keys()]).toEqual(["__Host-becket_session"]);
    const me = (await browser.call(getMe)).reply;
    expect(me.user).toMatchObject({ name: "Ann Example", email: "ann@example.org", knownBy: "oidc" });
    expect(me.session).toMatchObject({ signedInBy: "oidc" });
  });

  it.each(["https://evil.example", "//evil.example", "/.//evil.example"])(
    "goes home instead of to %s",
    async (returnTo) => {
      expect((await walk(app, provider, { returnTo })).location).toBe("/");
    },
  );

  it("is one user each time, with the name and address of today", async () => {
    const first = (await (await walk(app, provider)).browser.call(getMe)).reply.user;
    provider.behaviour = { claims: { name: "Ann Married", email: "ann2@example.org" } };
    const second = (await (await walk(app, provider)).browser.call(getMe)).reply.user;
    expect(second).toMatchObject({ id: first?.id, name: "Ann Married", email: "ann2@example.org" });
  });

  it("is told where it can be begun", async () => {
    const options = (await createTestBrowser(app).call(getSignInOptions)).reply;
    expect(options.oidc).toEqual({ name: "id.example.org", path: "/api/sign-in/oidc" });
  });

  it("takes address and groups from UserInfo where the ID token has none", async () => {
    provider.behaviour = {
      claims: { name: undefined, email: undefined, email_verified: undefined },
      userInfo: { preferred_username: "ann", email: "ann@example.org", email_verified: "true" },
    };
    expect((await walk(app, provider)).error).toBeNull();
  });

  it("sends the client's secret in the body where the provider takes it only there", async () => {
    provider.behaviour = { metadata: { token_endpoint_auth_methods_supported: ["client_secret_post"] } };
    expect((await walk(app, provider)).error).toBeNull();
  });

  it("asks for the provider's description and keys once", async () => {
    await walk(app, provider);
    await walk(app, provider);
    expect(provider.requests.filter((path) => path.startsWith("/.well-known"))).toHaveLength(1);
    expect(provider.requests.filter((path) => path === "/keys")).toHaveLength(1);
  });
});

describe("an answer that is none to this browser's attempt", () => {
  it("signs nobody in, costs the provider nothing, and leaves the attempt alone", async () => {
    const browser = createTestBrowser(app);
    const location = (await browser.fetch("/api/sign-in/oidc")).headers.get("location") ?? "";
    const answer = provider.consent(location);
    const before = provider.requests.length;
    const wrong = new URLSearchParams({ ...Object.fromEntries(answer), state: "A".repeat(43) });
    const stateless = new URLSearchParams({ code: answer.get("code") ?? "" });
    const elsewhere = createTestBrowser(app);
    expect((await comeBack(browser, wrong)).error).toBe("attempt_invalid");
    expect((await comeBack(browser, stateless)).error).toBe("attempt_invalid");
    expect((await comeBack(elsewhere, answer)).error).toBe("attempt_invalid");
    expect(elsewhere.cookies.size).toBe(0);
    expect(provider.requests).toHaveLength(before);
    expect((await comeBack(browser, answer)).error).toBeNull();
  });

  it.each(["", "x", base64url.encode("{}"), base64url.encode("nope")])(
    "nor does a cookie that is none: %j",
    async (value) => {
      const headers = { cookie: `__Host-becket_sign_in=${value}` };
      expect(
        (await comeBack(createTestBrowser(app), new URLSearchParams({ state: "x", code: "y" }), headers)).error,
      ).toBe("attempt_invalid");
    },
  );

  it("comes once: a replayed answer has no attempt any more, and its code is used up", async () => {
    const browser = createTestBrowser(app);
    const location = (await browser.fetch("/api/sign-in/oidc")).headers.get("location") ?? "";
    const attempt = browser.cookies.get("__Host-becket_sign_in") ?? "";
    const answer = provider.consent(location);
    expect((await comeBack(browser, answer)).error).toBeNull();
    expect((await comeBack(browser, answer)).error).toBe("attempt_invalid");
    const thief = createTestBrowser(app);
    const headers = { cookie: `__Host-becket_sign_in=${attempt}` };
    expect((await comeBack(thief, answer, headers)).error).toBe("provider_refused");
    expect(thief.cookies.size).toBe(0);
  });

  it("is refused when another issuer gave it, or it names none where the provider does", async () => {
    for (const iss of ["https://evil.example", null]) {
      const alter = (answer: URLSearchParams) => (iss === null ? answer.delete("iss") : answer.set("iss", iss));
      expect((await walk(app, provider, { alter })).error).toBe("provider_invalid");
    }
    expect(provider.requests).not.toContain("/token");
  });

  it("says so when the person refuses", async () => {
    const alter = (answer: URLSearchParams) => {
      answer.delete("code");
      answer.set("error", "access_denied");
    };
    expect((await walk(app, provider, { alter })).error).toBe("provider_refused");
  });
});

describe("an ID token is refused", () => {
  const hmac = (claims: Record<string, unknown>) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: "HS256", kid: "one" })
      .sign(new TextEncoder().encode(CLIENT.secret.padEnd(32)));
  const unsigned = async (claims: Record<string, unknown>) =>
    `${base64url.encode('{"alg":"none"}')}.${base64url.encode(JSON.stringify(claims))}.`;

  it.each<[string, Behaviour]>([
    ["of another issuer", { claims: { iss: "https://evil.example" } }],
    ["for another client", { claims: { aud: "other" } }],
    ["for several, of which this one did not ask", { claims: { aud: ["becket", "other"], azp: "other" } }],
    ["for several, without saying who asked", { claims: { aud: ["becket", "other"] } }],
    ["that another client asked for", { claims: { azp: "other" } }],
    ["of another sign-in", { claims: { nonce: "A".repeat(43) } }],
    ["of no sign-in", { claims: { nonce: undefined } }],
    ["that has expired", { claims: { exp: nowSeconds() - 61 } }],
    ["that never expires", { claims: { exp: undefined } }],
    ["of the future", { claims: { iat: nowSeconds() + 120 } }],
    ["that is old", { claims: { iat: nowSeconds() - 700 } }],
    ["of nobody", { claims: { sub: undefined } }],
    ["of another access token", { claims: { at_hash: base64url.encode(new Uint8Array(16)) } }],
    ["with another key's signature", { isForged: true }],
    ["signed with the client's secret", { sign: hmac }],
    ["without a signature", { sign: unsigned }],
    ["that is none", { tokenReply: { id_token: "nonsense" } }],
    ["that is not there", { tokenReply: { id_token: undefined } }],
    ["beside UserInfo of another person", { userInfo: { sub: "bob" } }],
  ])("%s", async (_, behaviour) => {
    provider.behaviour = behaviour;
    const { browser, error } = await walk(app, provider);
    expect(error).toBe("provider_invalid");
    expect(browser.cookies.size).toBe(0);
  });

  it("but not for a clock that is off by less than a minute, a list of one, or no at_hash", async () => {
    const { error } = await (() => {
      provider.behaviour = {
        claims: { iat: nowSeconds() + 45, exp: nowSeconds() - 45, aud: ["becket"], azp: "becket", at_hash: undefined },
      };
      return walk(app, provider);
    })();
    expect(error).toBeNull();
  });
});

describe("a provider that does not work", () => {
  it.each<[string, Behaviour]>([
    ["describes another issuer", { metadata: { issuer: "https://evil.example" } }],
    ["has an endpoint without TLS", { metadata: { token_endpoint: "http://id.example.org/token" } }],
    ["has no keys", { metadata: { jwks_uri: undefined } }],
    [
      "redirects",
      { answers: { "/.well-known/openid-configuration": () => Response.redirect("https://evil.example") } },
    ],
    ["answers a page", { answers: { "/token": () => new Response("<html>") } }],
    ["answers without end", { answers: { "/userinfo": () => new Response("x".repeat(300_000)) } }],
  ])("is told apart: one that %s", async (_, behaviour) => {
    provider.behaviour = behaviour;
    expect((await walk(app, provider)).error).toBe("provider_invalid");
  });

  it.each(["/.well-known/openid-configuration", "/token", "/keys", "/userinfo"])(
    "is unavailable when %s is",
    async (path) => {
      const answers = [
        () => new Response("busy", { status: 503 }),
        () => {
          throw new TypeError("connection refused");
        },
      ];
      for (const answer of answers) {
        provider.behaviour = { answers: { [path]: answer } };
        const { error } = await walk(createOidcApp(provider), provider);
        expect(error).toBe("provider_unavailable");
      }
    },
  );

  it("serves on from its old description while it can't be had", async () => {
    const clock = { ms: Date.now() };
    const aging = createOidcApp(provider, { now: () => clock.ms });
    expect((await walk(aging, provider)).error).toBeNull();
    clock.ms += 3_600_001;
    provider.behaviour = {
      answers: { "/.well-known/openid-configuration": () => new Response("busy", { status: 503 }) },
      claims: { iat: Math.floor(clock.ms / 1_000), exp: Math.floor(clock.ms / 1_000) + 60 },
    };
    expect((await walk(aging, provider)).error).toBeNull();
  });

  it("is not there where none is configured", async () => {
    const without = createTestApp();
    for (const path of ["/api/sign-in/oidc", "/api/sign-in/oidc/callback?state=x&code=y"]) {
      const response = await without.fetch(path);
      expect(response.headers.get("location")).toMatch(/^\/sign-in\?error=not_configured&requestId=req_/);
    }
  });
});

describe("failing at the provider", () => {
  it("is limited by address, before another code is sent there", async () => {
    const signInLimit = createFailureLimit("cf-connecting-ip", () => 0, { burst: 2, perSecond: 0 });
    const limited = createOidcApp(provider, { services: { signInLimit } });
    const headers = { "cf-connecting-ip": "192.0.2.1" };
    const alter = (answer: URLSearchParams) => answer.set("code", "guessed");
    const fail = async () => (await walk(limited, provider, { alter, headers })).error;
    expect([await fail(), await fail(), await fail()]).toEqual([
      "provider_refused",
      "provider_refused",
      "rate_limited",
    ]);
    expect(provider.requests.filter((path) => path === "/token")).toHaveLength(2);
    expect((await walk(limited, provider)).error).toBeNull();
  });

  it("logs a reason, and neither code, token, secret nor name", async () => {
    const lines: string[] = [];
    const note = (message: string, fields?: object) => void lines.push(JSON.stringify({ message, ...fields }));
    const log = { error: note, warn: note, info: note, debug: note };
    provider.behaviour = { claims: { aud: "other" } };
    const noisy = createOidcApp(provider, { services: { log } });
    const { location } = await walk(noisy, provider);
    const text = lines.join("\n");
    expect(text).toContain("ID token: ERR_JWT_CLAIM_VALIDATION_FAILED: aud");
    for (const secret of ["code-", "access-", "eyJ", CLIENT.secret, "Ann", "ann@"])
      expect(text + location).not.toContain(secret);
  });
});
