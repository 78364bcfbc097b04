import { base64url, SignJWT } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { createMesh } from "#schema/api/meshes";
import { MachineId, type MeshId } from "#schema/ids";
import { AGENT_PATHS } from "#schema/wire/enrolment";
import { createTestApp, ORIGIN, parseProblem } from "../testing/create-test-app.ts";
import {
  createIdentity,
  type EnrolledMachine,
  enrolMachine,
  fetchAs,
  signMachineToken,
} from "../testing/enrolled-machine.ts";
import { TRUSTED_HEADERS } from "./trusted-headers.ts";

const app = createTestApp();
const PATH = AGENT_PATHS.machineSync;
const UNKNOWN = MachineId.parse("mch_01arz3ndektsv4rrffq69g5fav");
let machine: EnrolledMachine;
let meshId: MeshId;

beforeAll(async () => {
  meshId = (await app.call(createMesh, { body: { name: "mesh", cidr: "10.1.0.0/24" } })).reply.id;
  machine = await enrolMachine(app, { meshIds: [meshId] });
});

const nowSeconds = () => Math.floor(Date.now() / 1_000);
const poll = (options: Parameters<typeof fetchAs>[3] = {}) => fetchAs(app, machine, `${PATH}?wait=0`, options);
const codeOf = async (response: Promise<Response> | Response) => (await parseProblem(await response)).code;
const send = (authorization: string) => app.fetch(`${PATH}?wait=0`, { headers: { authorization } });

describe("a token that is good", () => {
  it("opens the machine's own object and its meshes", async () => {
    expect((await poll()).status).toBe(200);
    const path = AGENT_PATHS.meshSync(meshId);
    expect((await fetchAs(app, machine, `${path}?wait=0`)).status).toBe(200);
  });

  it("may be ahead of our clock by 5 s", async () => {
    const iat = nowSeconds() + 4;
    expect((await poll({ claims: { iat, exp: iat + 60 } })).status).toBe(200);
  });
});

describe("a token is refused", () => {
  it("when there is none, or it is none", async () => {
    expect(await codeOf(app.fetch(PATH))).toBe("unauthenticated");
    expect(await codeOf(send("Bearer nonsense"))).toBe("machine_token_invalid");
    expect(await codeOf(send("Bearer a.b.c"))).toBe("machine_token_invalid");
  });

  it("when it is unsigned or signed by a symmetric key", async () => {
    const encode = (value: object) => base64url.encode(JSON.stringify(value));
    const iat = nowSeconds();
    const claims = {
      iss: machine.machineId,
      aud: ORIGIN,
      iat,
      exp: iat + 60,
      jti: crypto.randomUUID(),
      htm: "GET",
      htu: PATH,
    };
    expect(await codeOf(send(`Bearer ${encode({ alg: "none" })}.${encode(claims)}.`))).toBe("machine_token_invalid");
    const hmac = await new SignJWT(claims)
      .setProtectedHeader({ alg: "HS256" })
      .sign(new TextEncoder().encode(machine.identity.publicKey));
    expect(await codeOf(send(`Bearer ${hmac}`))).toBe("machine_token_invalid");
  });

  it.each([
    ["it has expired", "machine_token_expired", () => ({ iat: nowSeconds() - 61, exp: nowSeconds() - 1 })],
    ["it is of the future", "machine_token_not_yet_valid", () => ({ iat: nowSeconds() + 30, exp: nowSeconds() + 60 })],
    ["it lives too long", "machine_token_invalid", () => ({ exp: nowSeconds() + 3_600 })],
    ["it is for another method", "machine_token_mismatched", () => ({ htm: "POST" })],
    ["it is for another path", "machine_token_mismatched", () => ({ htu: "/agent/v1/enrolments" })],
    ["it is for another control plane", "machine_token_mismatched", () => ({ aud: "https://other.test" })],
    ["a claim is missing", "machine_token_invalid", () => ({ jti: "" })],
  ])("when %s", async (_, code, claims) => {
    expect(await codeOf(poll({ claims: claims() }))).toBe(code);
  });

  it("when another key signed it", async () => {
    const other = { ...machine, identity: await createIdentity() };
    expect(await codeOf(fetchAs(app, other, `${PATH}?wait=0`))).toBe("signature_invalid");
  });

  it("when the machine is unknown", async () => {
    const stranger = { ...machine, machineId: UNKNOWN };
    expect(await codeOf(fetchAs(app, stranger, `${PATH}?wait=0`))).toBe("machine_not_found");
  });

  it("when it was used before", async () => {
    const token = await signMachineToken(machine.identity, machine.machineId, { htu: PATH });
    expect((await send(`Bearer ${token}`)).status).toBe(200);
    expect(await codeOf(send(`Bearer ${token}`))).toBe("machine_token_replayed");
  });

  it("when an API token is sent in its place, and the other way round", async () => {
    expect(await codeOf(send(`Bearer bkt_${"x".repeat(43)}`))).toBe("machine_token_invalid");
    const token = await signMachineToken(machine.identity, machine.machineId, { htu: "/api/v1/meshes" });
    expect(await codeOf(app.fetch("/api/v1/meshes", { headers: { authorization: `Bearer ${token}` } }))).toBe(
      "unauthenticated",
    );
  });
});

describe("another's data", () => {
  it("is refused: a mesh that the machine is not in, and one that does not exist", async () => {
    const outsider = await enrolMachine(app, { meshIds: [] });
    const ask = (path: string) => fetchAs(app, outsider, `${path}?wait=0`);
    expect(await codeOf(ask(AGENT_PATHS.meshSync(meshId)))).toBe("not_a_member");
    expect(await codeOf(ask(AGENT_PATHS.meshSync("nonsense")))).toBe("mesh_not_found");
  });

  it("stays out of reach of a client that sends our trusted headers", async () => {
    const outsider = await enrolMachine(app, { meshIds: [] });
    const headers = { [TRUSTED_HEADERS.machineId]: machine.machineId, [TRUSTED_HEADERS.tokenId]: "x".repeat(20) };
    const path = AGENT_PATHS.meshSync(meshId);
    expect(await codeOf(fetchAs(app, outsider, `${path}?wait=0`, { headers }))).toBe("not_a_member");
    expect(await codeOf(app.fetch(path, { headers }))).toBe("unauthenticated");
  });
});

describe("messages", () => {
  it("are refused over the limit", async () => {
    const body = JSON.stringify({ messages: ["x".repeat(70_000)] });
    expect(await codeOf(poll({ method: "POST", body }))).toBe("body_too_large");
  });

  it("may upgrade to a WebSocket, whose answer carries the date", async () => {
    const response = await poll({ headers: { upgrade: "websocket" } });
    expect(response.status).toBe(101);
    expect(response.headers.get("date")).toBeTruthy();
    response.webSocket?.accept();
    response.webSocket?.close();
  });
});

describe("a control plane with an origin of its own", () => {
  it("takes tokens for that origin only", async () => {
    const behindProxy = createTestApp({ origin: "https://becket.example.org" });
    const ask = (aud: string) => fetchAs(behindProxy, machine, `${PATH}?wait=0`, { claims: { aud } });
    expect((await ask("https://becket.example.org")).status).toBe(200);
    expect(await codeOf(ask(ORIGIN))).toBe("machine_token_mismatched");
  });
});

describe("with D1 down", () => {
  const failing = new Proxy(app.services.db, {
    get: () => () => {
      throw new Error("D1_ERROR: Network connection lost.");
    },
  });
  const quiet = { ...app.services.log, error: () => undefined, warn: () => undefined };

  it("machines go on: their keys come from their objects", async () => {
    const { createIdentityKeys } = await import("./identity-keys.ts");
    const { objects, now } = app.services;
    const identityKeys = createIdentityKeys({ db: failing, objects, now, log: quiet });
    const degraded = createTestApp({ db: failing, identityKeys, log: quiet });
    expect((await fetchAs(degraded, machine, `${PATH}?wait=0`)).status).toBe(200);
    const stranger = { ...machine, machineId: UNKNOWN };
    expect(await codeOf(fetchAs(degraded, stranger, `${PATH}?wait=0`))).toBe("machine_not_found");
  });

  it("the API says that it is not available, and when to try again", async () => {
    const degraded = createTestApp({ db: failing, log: quiet });
    const response = await degraded.fetch("/api/v1/meshes", {
      headers: { authorization: "Bearer owner-token-of-the-tests" },
    });
    expect(response.headers.get("retry-after")).toBe("1");
    expect(await codeOf(response)).toBe("unavailable");
  });
});
