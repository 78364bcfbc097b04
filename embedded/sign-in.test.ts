// People signing in to the control plane as it runs: at a real OpenID provider, and by the operator's link.
import { spawn } from "node:child_process";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { callApi, createStateFolder, type ReadyLine, startProcess } from "./testing/control-plane-process.ts";
import { CLIENT, type OpenIdProvider, startOpenIdProvider } from "./testing/openid-provider.ts";
import { createTestBrowser, type TestBrowser } from "./testing/test-browser.ts";

/** Each of them starts several programs. */
const BUSY_MS = 90_000;
const CALLBACK = "/api/sign-in/oidc/callback";
const argv = (state: string) => ["--port", "0", "--state", state, "--json"];

async function startBoth(variables: Record<string, string> = {}) {
  const provider = await startOpenIdProvider();
  const env = {
    BECKET_OIDC_ISSUER: provider.issuer,
    BECKET_OIDC_CLIENT_ID: CLIENT.id,
    BECKET_OIDC_CLIENT_SECRET: CLIENT.secret,
    BECKET_OIDC_ALLOWED_DOMAINS: "example.org",
    BECKET_LOG_LEVEL: "debug",
    ...variables,
  };
  const program = startProcess(argv(createStateFolder()), { env });
  const ready = await program.ready;
  provider.register(ready.url + CALLBACK);
  return { provider, program, ready, url: ready.url };
}

const toMe = async (browser: TestBrowser, url: string) =>
  JSON.parse((await browser.send("GET", `${url}/api/v1/me`)).body);
const start = (url: string, returnTo = "/") => `${url}/api/sign-in/oidc?${new URLSearchParams({ returnTo })}`;
const isCallback = ({ pathname }: URL) => pathname === CALLBACK;
const codeOf = (body: string) => JSON.parse(body).code;

/** As far as the provider's answer, which the browser has not brought back yet. */
async function bringAnswer(browser: TestBrowser, url: string): Promise<URL> {
  const answer = await browser.open(start(url), isCallback);
  expect(answer.url.pathname).toBe(CALLBACK);
  return answer.url;
}

function change(url: URL, parameter: string, value: string): string {
  const changed = new URL(url);
  changed.searchParams.set(parameter, value);
  return changed.href;
}

describe("a real OpenID provider", { timeout: BUSY_MS }, () => {
  it("signs people in, who work, sign out, and are out", async () => {
    const { url, provider, program } = await startBoth();
    const browser = createTestBrowser();
    const page = await browser.open(start(url, "/machines?online=1"));
    expect(page.url.href).toBe(`${url}/machines?online=1`);
    const me = await toMe(browser, url);
    expect(me).toMatchObject({ role: "owner", user: { name: "Ann Example", email: "ann@example.org" } });
    expect([...browser.cookiesOf(url).keys()]).toEqual(["becket_session"]);

    const mesh = { name: "office", cidr: "10.1.0.0/16" };
    const foreign = await browser.send("POST", `${url}/api/v1/meshes`, { body: mesh, origin: provider.issuer });
    expect([foreign.status, codeOf(foreign.body)]).toEqual([403, "origin_mismatched"]);
    expect((await browser.send("POST", `${url}/api/v1/meshes`, { body: mesh, origin: null })).status).toBe(403);
    expect((await browser.send("POST", `${url}/api/v1/meshes`, { body: mesh })).status).toBe(201);
    const trail = JSON.parse((await browser.send("GET", `${url}/api/v1/audit-events?action=mesh.created`)).body);
    expect(trail.items[0].actor).toEqual({ kind: "user", id: me.user.id, name: "Ann Example" });

    const cookie = `becket_session=${browser.cookiesOf(url).get("becket_session")}`;
    expect((await browser.send("POST", `${url}/api/v1/sign-out`)).status).toBe(204);
    expect(browser.cookiesOf(url).size).toBe(0);
    expect((await fetch(`${url}/api/v1/me`, { headers: { cookie } })).status).toBe(401);

    program.child.kill("SIGTERM");
    const { stderr, stdout } = await program.ended;
    expect(stderr).toContain(CALLBACK);
    for (const secret of ["code=", "state=", "bks_", "eyJ", CLIENT.secret, "ann@example.org"]) {
      expect(stderr + stdout.replaceAll(/"ownerToken":"[^"]*"/g, "")).not.toContain(secret);
    }
  });

  it("signs nobody in with an answer that is another browser's, changed, or used", async () => {
    const { url } = await startBoth();
    const browser = createTestBrowser();
    const answer = await bringAnswer(browser, url);
    const attempt = new Map(browser.cookiesOf(url));
    const errorOf = async (who: TestBrowser, address: string) =>
      (await who.open(address)).url.searchParams.get("error");

    expect(await errorOf(createTestBrowser(), answer.href)).toBe("attempt_invalid");
    expect(await errorOf(browser, change(answer, "state", "A".repeat(43)))).toBe("attempt_invalid");
    expect(await errorOf(browser, answer.href)).toBeNull();
    expect((await toMe(browser, url)).user.name).toBe("Ann Example");

    const thief = createTestBrowser();
    for (const [name, value] of attempt) thief.cookiesOf(url).set(name, value);
    expect(await errorOf(thief, answer.href)).toBe("provider_refused");
    expect(thief.cookiesOf(url).size).toBe(0);
  });

  it("gives no code that another verifier, and no ID token that another nonce, would open", async () => {
    const { url } = await startBoth();
    const alter = (browser: TestBrowser, field: "nonce" | "verifier") => {
      const jar = browser.cookiesOf(url);
      const attempt = JSON.parse(Buffer.from(jar.get("becket_sign_in") ?? "", "base64url").toString());
      jar.set(
        "becket_sign_in",
        Buffer.from(JSON.stringify({ ...attempt, [field]: "A".repeat(43) })).toString("base64url"),
      );
    };
    for (const [field, error] of [
      ["verifier", "provider_refused"],
      ["nonce", "provider_invalid"],
    ] as const) {
      const browser = createTestBrowser();
      const answer = await bringAnswer(browser, url);
      alter(browser, field);
      expect((await browser.open(answer.href)).url.searchParams.get("error")).toBe(error);
      expect((await browser.send("GET", `${url}/api/v1/me`)).status).toBe(401);
    }
  });

  it("lets in whom the rules let in, and out whom an owner puts out", async () => {
    const { url, provider, ready } = await startBoth();
    const enter = async (person: OpenIdProvider["person"]) => {
      provider.person = person;
      const browser = createTestBrowser();
      const page = await browser.open(start(url));
      return { browser, error: page.url.searchParams.get("error") };
    };
    const ann = await enter(provider.person);
    const eve = await enter({ sub: "eve", name: "Eve", email: "eve@example.com", email_verified: true });
    expect(eve.error).toBe("not_allowed");
    const bob = await enter({ sub: "bob", name: "Bob", email: "bob@example.org", email_verified: true });
    const { role, user } = await toMe(bob.browser, url);
    expect(role).toBe("viewer");

    const sessions = JSON.parse((await ann.browser.send("GET", `${url}/api/v1/sessions?userId=${user.id}`)).body).items;
    expect(sessions).toHaveLength(1);
    expect((await ann.browser.send("DELETE", `${url}/api/v1/sessions/${sessions[0].id}`)).status).toBe(204);
    expect((await bob.browser.send("GET", `${url}/api/v1/me`)).status).toBe(401);
    await callApi(ready, "PATCH", `/users/${user.id}`, { isBlocked: true });
    expect((await enter({ sub: "bob" })).error).toBe("not_allowed");
    const back = await enter({ sub: "bob", name: "Bob", email: "bob@example.org", email_verified: true });
    expect(back.error).toBe("user_blocked");
  });

  it("is one that is somewhere else, or not as it must be, in one line at the start", async () => {
    const refuse = async (env: Record<string, string>) =>
      (await startProcess(argv(createStateFolder()), { env }).ended).stderr;
    expect(await refuse({ BECKET_OIDC_ISSUER: "http://id.example.org" })).toMatch(
      /^becket: BECKET_OIDC_ISSUER: .*https/,
    );
    expect(await refuse({ BECKET_OIDC_CLIENT_SECRET: "alone" })).toBe(
      "becket: BECKET_OIDC_CLIENT_SECRET needs BECKET_OIDC_ISSUER\n",
    );
  });
});

describe("the operator's link", { timeout: BUSY_MS }, () => {
  it("signs in once, as the owner, and again by another link", async () => {
    const state = createStateFolder();
    const { url } = await startProcess(argv(state)).ready;
    const first = await printLink(["--state", state]);
    expect(first).toMatchObject({ code: 0, stderr: expect.stringMatching(/^For owner \(owner\), once, until 2/) });
    const link = new URL(first.stdout.trim());
    expect(link.href).toMatch(new RegExp(`^${url}/sign-in#link=bkl_`));

    const browser = createTestBrowser();
    const body = { token: link.hash.slice("#link=".length) };
    expect((await browser.open(link.href)).status).toBe(200);
    const used = await browser.send("POST", `${url}/api/v1/sign-in/link`, { body });
    expect(used.status).toBe(204);
    expect(used.setCookies).toEqual([
      expect.stringMatching(/^becket_session=bks_[\w-]{43}; Max-Age=604800; Path=\/; HttpOnly; SameSite=Lax$/),
    ]);
    expect((await toMe(browser, url)).role).toBe("owner");
    expect((await createTestBrowser().send("POST", `${url}/api/v1/sign-in/link`, { body })).status).toBe(401);
    const { user } = await toMe(browser, url);
    expect((await printLink(["--state", state, "--user", user.id])).stdout).toContain("#link=");
  });

  it("goes to the public origin, where the cookie is a __Host- cookie", async () => {
    const state = createStateFolder();
    const { url, ownerToken } = await startProcess([...argv(state), "--origin", "https://becket.example.org"]).ready;
    const { stdout } = await printLink(["--url", url, "--name", "Ann", "--role", "admin"], {
      BECKET_OWNER_TOKEN: ownerToken,
    });
    const link = new URL(stdout.trim());
    expect(link.origin).toBe("https://becket.example.org");
    const body = { token: link.hash.slice("#link=".length) };
    const send = (origin: string) => createTestBrowser().send("POST", `${url}/api/v1/sign-in/link`, { body, origin });
    expect((await send(url)).status).toBe(403);
    const [cookie] = (await send(link.origin)).setCookies;
    expect(cookie).toMatch(/^__Host-becket_session=.*; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
  });

  it("is not made without a control plane, a token, or a good request, and says so in one line", async () => {
    const empty = createStateFolder();
    const refuse = async (options: string[], env = {}) => {
      const { code, stderr, stdout } = await printLink(options, env);
      expect([code, stdout, stderr.trim().split("\n").length]).toEqual([1, "", 1]);
      return stderr;
    };
    expect(await refuse(["--state", empty])).toContain("owner-token is not there");
    const token = { BECKET_OWNER_TOKEN: "a-token-of-the-operator" };
    expect(await refuse(["--state", empty], token)).toContain("url is not there");
    expect(await refuse(["--url", "http://127.0.0.1:1"], token)).toContain(
      "no control plane answers at http://127.0.0.1:1",
    );
    const { url }: ReadyLine = await startProcess(argv(empty)).ready;
    expect(await refuse(["--url", url], token)).toContain("A valid bearer token or session is needed");
    await printLink(["--state", empty]);
    expect(await refuse(["--state", empty, "--role", "viewer"])).toContain("owner is there and has the role owner");
  });
});

function printLink(
  options: string[],
  env: Record<string, string> = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const program = path.join(import.meta.dirname, "login-link.ts");
  const child = spawn(process.execPath, [program, ...options], {
    env: { ...process.env, BECKET_OWNER_TOKEN: "", ...env },
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    output.stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    output.stderr += chunk;
  });
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, ...output })));
}
