// The control plane as it runs, at the level that logs most: every secret that it made, took or was shown, at doors that are right and wrong, is
// looked for in what it printed and in what it keeps.
import { generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { AGENT_PATHS, toEnrolmentText } from "#schema/wire/enrolment";
import { createStateFolder, type ReadyLine, startProcess } from "./testing/control-plane-process.ts";

const OWNER_TOKEN = `owner-${randomUUID()}`;
const AGENT = { agentVersion: "1", nodeVersion: "1", kernelVersion: "1", wireguard: "kernel" };

interface Attempt {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/** Sends JSON as the owner, unless it says otherwise. */
async function send(
  { url }: Pick<ReadyLine, "url">,
  target: string,
  { method = "POST", body, headers = {} }: Attempt = {},
) {
  const response = await fetch(url + target, {
    method,
    headers: { authorization: `Bearer ${OWNER_TOKEN}`, "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    cookies: response.headers.getSetCookie(),
    reply: text.startsWith("{") ? JSON.parse(text) : null,
  };
}

/** A machine that enrols and reads its meshes. */
async function enrol(plane: ReadyLine, token: string, secrets: string[]): Promise<void> {
  const identity = generateKeyPairSync("ed25519");
  const identityKey = String(identity.publicKey.export({ format: "jwk" }).x);
  const signature = sign(null, Buffer.from(toEnrolmentText(token, identityKey)), identity.privateKey).toString(
    "base64url",
  );
  const body = { token, identityKey, signature, hostname: "host", agent: AGENT };
  const { status, reply } = await send(plane, AGENT_PATHS.enrolments, { body });
  expect(status).toBe(201);

  const iat = Math.floor(Date.now() / 1_000);
  const claims = {
    iss: reply.machineId,
    aud: plane.url,
    iat,
    exp: iat + 60,
    jti: randomUUID(),
    htm: "GET",
    htu: AGENT_PATHS.machineSync,
  };
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${part({ alg: "EdDSA" })}.${part(claims)}`;
  const machineToken = `${text}.${sign(null, Buffer.from(text), identity.privateKey).toString("base64url")}`;
  secrets.push(signature, machineToken);
  const authorization = `Bearer ${machineToken}`;
  const poll = { method: "GET", headers: { authorization } };
  expect((await send(plane, `${AGENT_PATHS.machineSync}?wait=0`, poll)).status).toBe(200);
  // Shown again, and at a door that is not its own.
  expect((await send(plane, `${AGENT_PATHS.machineSync}?wait=0`, poll)).status).toBe(401);
  expect((await send(plane, "/api/v1/meshes", poll)).status).toBe(401);
}

function readAll(folder: string): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map((entry) => readFileSync(path.join(entry.parentPath, entry.name), "latin1")).join("\n");
}

it("no secret is in what it prints, nor in clear in what it keeps", { timeout: 90_000 }, async () => {
  const state = createStateFolder();
  const program = startProcess(["--port", "0", "--state", state, "--json"], {
    env: { BECKET_OWNER_TOKEN: OWNER_TOKEN, BECKET_LOG_LEVEL: "debug" },
  });
  const plane = await program.ready;
  const { url } = plane;
  const secrets = [OWNER_TOKEN];

  const mesh = await send(plane, "/api/v1/meshes", { body: { name: "office", cidr: "10.1.0.0/16" } });
  const once = { "idempotency-key": randomUUID() };
  const join = { body: { meshIds: [mesh.reply.id] }, headers: once };
  const joinToken: string = (await send(plane, "/api/v1/join-tokens", join)).reply.token;
  expect((await send(plane, "/api/v1/join-tokens", join)).reply.token).toBe(joinToken);
  const apiToken: string = (await send(plane, "/api/v1/api-tokens", { body: { name: "script", role: "admin" } })).reply
    .token;
  const link: string = (await send(plane, "/api/v1/login-links", { body: { name: "ann", role: "owner" } })).reply.url;
  const linkToken = link.slice(link.indexOf("#link=") + 6);
  const origin = { authorization: "", origin: url };
  const { cookies } = await send(plane, "/api/v1/sign-in/link", { body: { token: linkToken }, headers: origin });
  const session = /=([^;]+)/.exec(cookies[0] ?? "")?.[1] ?? "";
  secrets.push(joinToken, apiToken, linkToken, session);
  await enrol(plane, joinToken, secrets);

  // At wrong doors: in a field that is not theirs, in bodies that are broken, as another kind of token, in a query.
  for (const secret of [...secrets]) {
    await send(plane, "/api/v1/meshes", { body: { name: secret, cidr: secret, [secret]: 1 } });
    await send(plane, "/api/v1/meshes", { body: `{"name":"${secret}"` });
    await send(plane, "/api/v1/sign-in/link", { body: { token: secret }, headers: origin });
    await send(plane, AGENT_PATHS.enrolments, { body: { token: secret, identityKey: secret } });
    await send(plane, `/api/v1/machines?cursor=${secret}`, { method: "GET" });
    await send(plane, "/api/v1/me", { method: "GET", headers: { authorization: `Bearer ${secret}x` } });
  }

  program.child.kill("SIGTERM");
  const { stdout, stderr } = await program.ended;
  // With --json the first line is for programs, and has the owner's token.
  const printed = stdout.split("\n").slice(1).join("\n") + stderr;
  expect(printed).toContain('"path":"/agent/v1/enrolments"');
  expect(secrets.length).toBeGreaterThanOrEqual(7);
  const kept = readAll(state);
  expect(kept).toContain("office");
  for (const secret of secrets) {
    expect(secret.length).toBeGreaterThan(30);
    expect(printed.includes(secret), `printed: ${secret}`).toBe(false);
    expect(kept.includes(secret), `kept: ${secret}`).toBe(false);
  }
});
