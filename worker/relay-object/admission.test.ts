import { runInDurableObject } from "cloudflare:test";
import { decodeProtectedHeader, SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { listAuditEvents } from "#schema/api/audit-events";
import { rotateRelayKey } from "#schema/api/meshes";
import { AGENT_PATHS } from "#schema/wire/enrolment";
import { RELAY_TICKET_HEADER } from "#schema/wire/relay";
import { parseProblem } from "../testing/create-test-app.ts";
import { createIdentity, enrolMachine, fetchAs, signMachineToken } from "../testing/enrolled-machine.ts";
import { eventually } from "../testing/eventually.ts";
import { createMachineId, createMeshId } from "../testing/fake-agent.ts";
import { createTestRelay } from "../testing/test-relay.ts";

type TestRelay = Awaited<ReturnType<typeof createTestRelay>>;

const forge = async ({ mesh, one, other }: TestRelay): Promise<string> => {
  const claims = { iss: mesh.settings.id, sub: one.machineId, peer: other.machineId, iat: 0, exp: 4_000_000_000 };
  return new SignJWT(claims).setProtectedHeader({ alg: "EdDSA" }).sign((await createIdentity()).privateKey);
};
const signWithSecret = async (relay: TestRelay): Promise<string> => {
  const claims = {
    iss: relay.mesh.settings.id,
    sub: relay.one.machineId,
    peer: relay.other.machineId,
    exp: 4e9,
    iat: 0,
  };
  return new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).sign(new Uint8Array(32));
};

describe("a machine does not get in with", () => {
  test.each<[string, (relay: TestRelay) => Promise<string> | null, string]>([
    ["no ticket", () => null, "there is no ticket"],
    ["something that is no ticket", async () => "no-ticket", "it is no ticket"],
    ["its peer's ticket", ({ issue, one, other }) => issue(other.machineId, one.machineId), "another machine's"],
    ["a ticket for another peer", ({ issue, one }) => issue(one.machineId, createMachineId()), "for another relay"],
    [
      "a ticket of another mesh",
      async ({ one, other }) => (await createTestRelay()).issue(one.machineId, other.machineId),
      "for another relay",
    ],
    ["a forged ticket", forge, "not the mesh's"],
    ["a ticket signed with a secret", signWithSecret, "not the mesh's"],
    [
      "an expired ticket",
      ({ issue, one, other }) => issue(one.machineId, other.machineId, Date.now() - 61_000),
      "it has expired",
    ],
  ])("%s", async (_, toTicket, detail) => {
    const relay = await createTestRelay();
    // So that the mesh has a key, and the object knows it.
    await relay.open(relay.other, relay.one);
    const response = await relay.request(relay.one, relay.other.machineId, { ticket: await toTicket(relay) });
    const problem = await parseProblem(response);
    expect(problem).toMatchObject({ status: 403, code: "relay_ticket_invalid" });
    expect(problem.detail).toContain(detail);
  });
});

test("a third machine does not get in with a ticket of the pair", async () => {
  const relay = await createTestRelay();
  const third = await enrolMachine(relay.app);
  const ticket = await relay.issue(relay.one.machineId, relay.other.machineId);
  for (const peer of [relay.one, relay.other]) {
    const problem = await parseProblem(await relay.request(third, peer.machineId, { ticket }));
    expect(problem).toMatchObject({ status: 403, code: "relay_ticket_invalid" });
  }
});

test("a mesh that gave out no ticket opens no relay, and still has no key", async () => {
  const relay = await createTestRelay();
  const response = await relay.request(relay.one, relay.other.machineId, { ticket: await forge(relay) });
  expect(await parseProblem(response)).toMatchObject({ code: "relay_ticket_invalid" });
  expect(await relay.mesh.mesh.readRelayKey()).toBeNull();
});

test("a ticket of the key before opens a relay like one of the new key, and who is in stays", async () => {
  const relay = await createTestRelay();
  const { app, mesh, one, other } = relay;
  const former = await relay.issue(one.machineId, other.machineId);
  const inside = await relay.open(other, one);
  await runInDurableObject(mesh.stub, (_, { storage }) => {
    storage.sql.exec("UPDATE relay_ticket_key SET made_at = made_at - 60000");
  });
  const params = { meshId: mesh.settings.id };
  const { reply } = await app.call(rotateRelayKey, { params });
  expect(Math.abs(Date.parse(reply.madeAt ?? "") - Date.now())).toBeLessThan(30_000);
  // One that was made a moment ago stays.
  expect((await app.call(rotateRelayKey, { params })).reply).toEqual(reply);
  const newest = await relay.issue(one.machineId, other.machineId);
  expect(decodeProtectedHeader(newest).kid).not.toBe(decodeProtectedHeader(former).kid);
  for (const ticket of [former, newest]) {
    expect((await relay.request(one, other.machineId, { ticket })).status).toBe(101);
  }
  expect(inside.peer.at(-1)).toBe(true);
  const { items } = await eventually(async () => {
    const audited = await app.call(listAuditEvents, { query: { action: "relay_key.replaced", meshId: params.meshId } });
    expect(audited.reply.items).toHaveLength(1);
    return audited.reply;
  });
  expect(items[0]).toMatchObject({ subjectId: params.meshId, actor: { kind: "owner_token" } });
});

test("a machine token opens one relay once", async () => {
  const { app, mesh, one, other, issue } = await createTestRelay();
  const path = AGENT_PATHS.relay(mesh.settings.id, other.machineId);
  const token = await signMachineToken(one.identity, one.machineId, { htu: path });
  const ticket = await issue(one.machineId, other.machineId);
  const headers = { authorization: `Bearer ${token}`, upgrade: "websocket", [RELAY_TICKET_HEADER]: ticket };
  expect((await app.fetch(path, { headers })).status).toBe(101);
  expect(await parseProblem(await app.fetch(path, { headers }))).toMatchObject({ code: "machine_token_replayed" });
});

describe("the Worker refuses", () => {
  test("who has no machine token", async () => {
    const { app, mesh, other } = await createTestRelay();
    const response = await app.fetch(AGENT_PATHS.relay(mesh.settings.id, other.machineId), {
      headers: { upgrade: "websocket" },
    });
    expect(await parseProblem(response)).toMatchObject({ status: 401, code: "unauthenticated" });
  });

  test("ids that are none, and the machine itself as its peer", async () => {
    const { app, one } = await createTestRelay();
    const codeOf = async (path: string) => (await parseProblem(await fetchAs(app, one, path))).code;
    expect(await codeOf(AGENT_PATHS.relay("office", createMachineId()))).toBe("mesh_not_found");
    expect(await codeOf(AGENT_PATHS.relay(createMeshId(), "box"))).toBe("peer_not_found");
    expect(await codeOf(AGENT_PATHS.relay(createMeshId(), one.machineId))).toBe("peer_not_found");
  });

  test("a request that is no upgrade, and other methods", async () => {
    const { app, mesh, one, other, request } = await createTestRelay();
    const plain = await request(one, other.machineId, { headers: { upgrade: "" } });
    expect(await parseProblem(plain)).toMatchObject({ status: 400, code: "bad_request" });
    const path = AGENT_PATHS.relay(mesh.settings.id, other.machineId);
    const post = await fetchAs(app, one, path, { method: "POST", body: "{}" });
    expect([post.headers.get("allow"), (await parseProblem(post)).code]).toEqual(["GET", "method_not_allowed"]);
  });
});
