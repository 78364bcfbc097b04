import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { listAuditEvents } from "#schema/api/audit-events";
import { createJoinToken, listJoinTokens, revokeJoinToken } from "#schema/api/join-tokens";
import { deleteMachine, getMachine, listMachines } from "#schema/api/machines";
import { listMembers, removeMember } from "#schema/api/members";
import { createMesh, updateMesh } from "#schema/api/meshes";
import { EnrolmentReply } from "#schema/wire/enrolment";
import { createFailureLimit } from "../auth/failure-limit.ts";
import { createTestApp, parseProblem, uniqueName } from "../testing/create-test-app.ts";
import { createIdentity, enrolMachine, postEnrolment, toEnrolmentRequest } from "../testing/enrolled-machine.ts";

const app = createTestApp();
let meshId: string;
let otherMeshId: string;

beforeAll(async () => {
  const create = (name: string, cidr: string) => app.call(createMesh, { body: { name, cidr } });
  meshId = (await create("first", "10.1.0.0/24")).reply.id;
  otherMeshId = (await create("second", "10.2.0.0/24")).reply.id;
});

const makeToken = async (body: object = {}) => (await app.call(createJoinToken, { body })).reply;
const readToken = async (id: string) =>
  (await app.call(listJoinTokens, { query: { limit: "500" } })).reply.items.find((token) => token.id === id);
const codeOf = async (response: Promise<Response>) => (await parseProblem(await response)).code;
const enrol = async (token: string, hostname = "host", identity?: Awaited<ReturnType<typeof createIdentity>>) =>
  postEnrolment(app, await toEnrolmentRequest(identity ?? (await createIdentity()), { token, hostname }));

describe("enrolling", () => {
  it("makes the machine, puts it into the token's meshes and uses the token up by one", async () => {
    const token = await makeToken({ maxUses: 3, meshIds: [meshId, otherMeshId] });
    const machine = await enrolMachine(app, { token: token.token, hostname: "Web-Server.example.org" });
    expect(machine.name).toBe("web-server");
    expect(machine.meshes.map((mesh) => mesh.meshId)).toEqual([meshId, otherMeshId]);
    expect(await readToken(token.id)).toMatchObject({ uses: 1, status: "active" });
    const members = (await app.call(listMembers, { params: { meshId } })).reply.items;
    expect(members.map(({ machineId }) => machineId)).toContain(machine.machineId);
  });

  it("puts it into the default mesh when the token names none, and nowhere when there is no default", async () => {
    expect((await enrolMachine(app)).meshes).toEqual([]);
    await app.call(updateMesh, { params: { meshId }, body: { isDefault: true } });
    expect((await enrolMachine(app)).meshes.map((mesh) => mesh.meshId)).toEqual([meshId]);
    expect((await enrolMachine(app, { meshIds: [] })).meshes).toEqual([]);
    await app.call(updateMesh, { params: { meshId }, body: { isDefault: false } });
  });

  it("gives machines with one host name different names, also all at once", async () => {
    const { token } = await makeToken();
    const machines = await Promise.all(
      Array.from({ length: 12 }, () => enrolMachine(app, { token, hostname: "twin" })),
    );
    const names = machines.map(({ name }) => name);
    expect(new Set(names).size).toBe(12);
    expect(names).toEqual(expect.arrayContaining(["twin", "twin-2"]));
  });

  it("says who let the machine in, in the audit trail", async () => {
    const token = await makeToken();
    const machine = await enrolMachine(app, { token: token.token });
    const events = (await app.call(listAuditEvents, { query: { subjectId: machine.machineId } })).reply.items;
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      action: "machine.enrolled",
      actor: { kind: "join_token", id: token.id },
      details: { name: machine.name, joinTokenId: token.id },
    });
  });
});

describe("a token that lets nobody in", () => {
  it("is garbage or unknown", async () => {
    const identity = await createIdentity();
    const request = await toEnrolmentRequest(identity, { token: `bkj_${"x".repeat(42)}A` });
    expect(await codeOf(postEnrolment(app, request))).toBe("join_token_invalid");
    const garbage = await toEnrolmentRequest(identity, { token: "garbage" });
    expect(await codeOf(postEnrolment(app, garbage))).toBe("join_token_invalid");
  });

  it("has expired", async () => {
    const later = createTestApp({ now: () => Date.now() + 61_000 });
    const { token } = await makeToken({ expiresInSeconds: 60 });
    expect(await codeOf(postEnrolment(later, await toEnrolmentRequest(await createIdentity(), { token })))).toBe(
      "join_token_expired",
    );
  });

  it("is used up", async () => {
    const { id, token } = await makeToken({ maxUses: 1 });
    expect((await enrol(token)).status).toBe(201);
    expect(await codeOf(enrol(token))).toBe("join_token_used_up");
    expect(await readToken(id)).toMatchObject({ uses: 1, status: "used_up" });
  });

  it("was revoked", async () => {
    const { id, token } = await makeToken();
    await app.call(revokeJoinToken, { params: { joinTokenId: id } });
    expect(await codeOf(enrol(token))).toBe("join_token_revoked");
  });
});

describe("two racing for the last use", () => {
  it("lets in exactly as many as the token has uses", async () => {
    const { id, token } = await makeToken({ maxUses: 3 });
    const responses = await Promise.all(Array.from({ length: 10 }, (_, index) => enrol(token, `racer-${index}`)));
    const statuses = responses.map(({ status }) => status).sort();
    expect(statuses).toEqual([201, 201, 201, 401, 401, 401, 401, 401, 401, 401]);
    const refused = responses.filter(({ status }) => status === 401);
    for (const response of refused) expect((await parseProblem(response)).code).toBe("join_token_used_up");
    expect(await readToken(id)).toMatchObject({ uses: 3 });
    const machines = (await app.call(listMachines, { query: { limit: "500" } })).reply.items;
    expect(machines.filter(({ name }) => name.startsWith("racer-"))).toHaveLength(3);
  });
});

describe("the same enrolment again", () => {
  it("gives the same machine and uses nothing up, even when the token is used up or expired by now", async () => {
    const { id, token } = await makeToken({ maxUses: 1, meshIds: [meshId] });
    const identity = await createIdentity();
    const first = EnrolmentReply.parse(await (await enrol(token, "again", identity)).json());
    const repeated = await enrol(token, "again", identity);
    expect(repeated.status).toBe(200);
    expect(EnrolmentReply.parse(await repeated.json())).toEqual(first);
    expect(await readToken(id)).toMatchObject({ uses: 1 });
  });

  it("gives the same machine when both arrive at once", async () => {
    const { id, token } = await makeToken({ maxUses: 5, meshIds: [meshId] });
    const identity = await createIdentity();
    const responses = await Promise.all(Array.from({ length: 5 }, () => enrol(token, "at-once", identity)));
    const replies = await Promise.all(responses.map(async (response) => EnrolmentReply.parse(await response.json())));
    expect(new Set(replies.map(({ machineId }) => machineId)).size).toBe(1);
    expect(await readToken(id)).toMatchObject({ uses: 1 });
  });

  it("does not put the machine back into a mesh that it was taken out of", async () => {
    const { token } = await makeToken({ meshIds: [meshId] });
    const machine = await enrolMachine(app, { token });
    await app.call(removeMember, { params: { meshId, machineId: machine.machineId } });
    const repeated = await enrol(token, "host", machine.identity);
    expect(repeated.status).toBe(200);
    const members = (await app.call(listMembers, { params: { meshId }, query: { limit: "500" } })).reply.items;
    expect(members.map(({ machineId }) => machineId)).not.toContain(machine.machineId);
  });

  it("goes on where an interrupted one stopped", async () => {
    const { objects } = app.services;
    let isBroken = true;
    const breaking = createTestApp({
      objects: {
        ...objects,
        machine: (machineId) => {
          const stub = objects.machine(machineId);
          if (!isBroken) return stub;
          return {
            register: (r: never) => stub.register(r),
            joinMesh: () => Promise.reject(new Error("cut off")),
          } as never;
        },
      },
      log: { ...app.services.log, error: () => undefined },
    });
    const { id, token } = await makeToken({ maxUses: 1, meshIds: [meshId] });
    const identity = await createIdentity();
    const request = await toEnrolmentRequest(identity, { token, hostname: "interrupted" });
    expect((await postEnrolment(breaking, request)).status).toBe(500);
    isBroken = false;
    const resumed = await postEnrolment(breaking, request);
    expect(EnrolmentReply.parse(await resumed.json()).meshes.map((mesh) => mesh.meshId)).toEqual([meshId]);
    expect(await readToken(id)).toMatchObject({ uses: 1 });
  });
});

describe("a machine that is known, with another token", () => {
  it("stays the same machine, joins the token's meshes and uses that token up by one", async () => {
    const machine = await enrolMachine(app, { meshIds: [meshId] });
    const second = await makeToken({ maxUses: 1, meshIds: [otherMeshId] });
    const again = await enrolMachine(app, { token: second.token, identity: machine.identity });
    expect(again).toMatchObject({ machineId: machine.machineId, name: machine.name });
    expect(again.meshes.map((mesh) => mesh.meshId)).toEqual([otherMeshId]);
    expect(await readToken(second.id)).toMatchObject({ uses: 1, status: "used_up" });
  });

  it("is shown with the agent that it has by then", async () => {
    const machine = await enrolMachine(app);
    const { token } = await makeToken();
    const request = await toEnrolmentRequest(machine.identity, { token });
    const agent = { ...request.agent, agentVersion: "9.9.9" };
    expect((await postEnrolment(app, { ...request, agent })).status).toBe(201);
    const { reply } = await app.call(getMachine, { params: { machineId: machine.machineId } });
    expect(reply.agent).toEqual(agent);
  });

  it("is refused when it was removed", async () => {
    const machine = await enrolMachine(app);
    await app.call(deleteMachine, { params: { machineId: machine.machineId } });
    const { token } = await makeToken();
    expect(await codeOf(enrol(token, "host", machine.identity))).toBe("machine_removed");
  });
});

describe("a machine that is removed while it enrols", () => {
  it.each(["register", "joinMesh"] as const)("is refused before %s, and is in no mesh", async (step) => {
    const { objects } = app.services;
    const racing = createTestApp({
      objects: {
        ...objects,
        machine: (machineId) => {
          const stub = objects.machine(machineId);
          const remove = () => app.call(deleteMachine, { params: { machineId } });
          return {
            register: async (registration: never) => {
              if (step === "register") await remove();
              return stub.register(registration);
            },
            joinMesh: async (request: never) => {
              await remove();
              return stub.joinMesh(request);
            },
          } as never;
        },
      },
    });
    const { token } = await makeToken({ meshIds: [meshId] });
    const request = await toEnrolmentRequest(await createIdentity(), { token, hostname: "ghost" });
    expect(await codeOf(postEnrolment(racing, request))).toBe("machine_removed");
    expect(await codeOf(postEnrolment(app, request))).toBe("machine_removed");
    const members = (await app.call(listMembers, { params: { meshId }, query: { limit: "500" } })).reply.items;
    expect(members.map(({ name }) => name)).not.toContain("ghost");
  });
});

describe("a full mesh", () => {
  it("keeps no machine out: the reply leaves the mesh out and the audit trail says why", async () => {
    const tiny = (await app.call(createMesh, { body: { name: uniqueName("tiny"), cidr: "10.9.0.0/30" } })).reply.id;
    const { token } = await makeToken({ meshIds: [tiny, otherMeshId] });
    await enrolMachine(app, { token });
    await enrolMachine(app, { token });
    const third = await enrolMachine(app, { token });
    expect(third.meshes.map((mesh) => mesh.meshId)).toEqual([otherMeshId]);
    const query = { subjectId: third.machineId, action: "machine.updated" };
    const events = (await app.call(listAuditEvents, { query })).reply.items;
    expect(events[0]?.details).toEqual({ notJoined: [{ meshId: tiny, code: "address_pool_exhausted" }] });
  });
});

describe("a crowd behind one address", () => {
  it("is held up by its failures only, and is told when to come back", async () => {
    // At a time that stands still: nothing is allowed anew, however long the attempts take.
    const crowd = createTestApp({ failureLimit: createFailureLimit("cf-connecting-ip", () => 0) });
    const post = async (token: string) =>
      crowd.fetch("/agent/v1/enrolments", {
        method: "POST",
        headers: { "content-type": "application/json", "cf-connecting-ip": "192.0.2.7" },
        body: JSON.stringify(await toEnrolmentRequest(await createIdentity(), { token, hostname: "crowd" })),
      });
    const { token } = await makeToken();
    for (let count = 0; count < 3; count++) expect((await post(token)).status).toBe(201);
    const attempts = await Promise.all(Array.from({ length: 250 }, () => post("garbage")));
    expect(new Set(attempts.map(({ status }) => status))).toContain(401);
    const refused = await post(token);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"]);
    expect((await parseProblem(refused)).code).toBe("rate_limited");
  });
});

describe("the proof", () => {
  it("is checked before anything else", async () => {
    const request = await toEnrolmentRequest(await createIdentity(), { token: `bkj_${"x".repeat(42)}A` });
    const other = await toEnrolmentRequest(await createIdentity(), { token: request.token });
    expect(await codeOf(postEnrolment(app, { ...request, signature: other.signature }))).toBe("signature_invalid");
  });

  it("binds the token: a signature for one token is none for another", async () => {
    const identity = await createIdentity();
    const [first, second] = [await makeToken(), await makeToken()];
    const request = await toEnrolmentRequest(identity, { token: first.token });
    expect(await codeOf(postEnrolment(app, { ...request, token: second.token }))).toBe("signature_invalid");
    expect(await readToken(second.id)).toMatchObject({ uses: 0 });
  });

  it("names a field that is missing", async () => {
    const { signature: _, ...request } = await toEnrolmentRequest(await createIdentity(), {
      token: (await makeToken()).token,
    });
    const problem = await parseProblem(await postEnrolment(app, request));
    expect(problem).toMatchObject({ code: "validation_failed", errors: [{ path: "signature" }] });
  });
});

it("stores no token in clear", async () => {
  const { token } = await makeToken();
  const dump: string[] = [];
  for (const table of ["join_tokens", "api_tokens", "audit_events", "idempotency_keys"]) {
    dump.push(JSON.stringify((await env.DB.prepare(`SELECT * FROM ${table}`).all()).results));
  }
  expect(dump.join()).not.toContain(token);
  expect(dump.join()).not.toMatch(/bk[jt]_[A-Za-z0-9_-]{20}/);
});
