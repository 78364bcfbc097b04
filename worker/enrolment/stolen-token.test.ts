// What somebody can do who has a join token, and nothing else: docs/security.md says it, and this is why that is true.
import { beforeAll, expect, test } from "vitest";
import { listAuditEvents } from "#schema/api/audit-events";
import { createJoinToken, revokeJoinToken } from "#schema/api/join-tokens";
import { deleteMachine, getMachine } from "#schema/api/machines";
import { removeMember } from "#schema/api/members";
import { createMesh } from "#schema/api/meshes";
import { createRoute } from "#schema/api/routes";
import { AGENT_PATHS } from "#schema/wire/enrolment";
import { FromMeshMessage, MessageBatch } from "#schema/wire/messages";
import { ALL_OPERATIONS, UNKNOWN_IDS } from "../testing/all-operations.ts";
import { createTestApp, uniqueName } from "../testing/create-test-app.ts";
import {
  createIdentity,
  type EnrolledMachine,
  enrolMachine,
  fetchAs,
  postEnrolment,
  toEnrolmentRequest,
} from "../testing/enrolled-machine.ts";
import { createHello } from "../testing/fake-agent.ts";

const app = createTestApp();
let meshId: string;
let otherMeshId: string;
let victim: EnrolledMachine;
let routeId: string;

beforeAll(async () => {
  const make = async (cidr: string) =>
    (await app.call(createMesh, { body: { name: uniqueName("mesh"), cidr } })).reply.id;
  meshId = await make("10.1.0.0/16");
  otherMeshId = await make("10.2.0.0/16");
  victim = await enrolMachine(app, { meshIds: [meshId, otherMeshId], hostname: "victim" });
  await sayHello(victim, meshId);
  const body = { name: "office", machineIds: [victim.machineId], prefixes: ["192.168.7.0/24"] };
  routeId = (await app.call(createRoute, { params: { meshId }, body })).reply.id;
});

async function sayHello(machine: EnrolledMachine, mesh: string, ...more: unknown[]) {
  const body = JSON.stringify({ messages: [createHello(), ...more] });
  const response = await fetchAs(app, machine, AGENT_PATHS.meshSync(mesh), { method: "POST", body });
  if (!response.ok) return { status: response.status, messages: [] };
  const { messages } = MessageBatch.parse(await response.json());
  return { status: response.status, messages: messages.map((message) => FromMeshMessage.parse(message)) };
}

const steal = async (maxUses: number) =>
  (await app.call(createJoinToken, { body: { meshIds: [meshId], maxUses } })).reply;

test("it opens no operation of the API, and no machine's door", async () => {
  const { token } = await steal(1);
  for (const operation of ALL_OPERATIONS.filter(({ role }) => role !== "anyone")) {
    const params = { ...UNKNOWN_IDS, meshId, machineId: victim.machineId };
    const { problem } = await app.call(operation, { params, as: { token }, ...(operation.body ? { body: {} } : {}) });
    expect(problem.code, operation.id).toBe("unauthenticated");
  }
  const headers = { authorization: `Bearer ${token}` };
  for (const path of [AGENT_PATHS.machineSync, AGENT_PATHS.meshSync(meshId)])
    expect((await app.fetch(path, { headers })).status).toBe(401);
});

test("it lets in as many machines as it has uses, into its meshes only, and each is in the audit trail with the token's id", async () => {
  const { token, id } = await steal(2);
  const thieves = [await enrolMachine(app, { token }), await enrolMachine(app, { token })];
  const third = await postEnrolment(app, await toEnrolmentRequest(await createIdentity(), { token }));
  expect(await third.json()).toMatchObject({ code: "join_token_used_up" });
  for (const thief of thieves) {
    expect(thief.meshes.map((mesh) => mesh.meshId)).toEqual([meshId]);
    expect((await sayHello(thief, otherMeshId)).status).toBe(403);
    const query = { subjectId: thief.machineId, action: "machine.enrolled" };
    const [event] = (await app.call(listAuditEvents, { query })).reply.items;
    expect(event?.actor).toMatchObject({ kind: "join_token", id });
  }
});

test("such a machine is a member: it sees the others, and is seen; it announces nothing and is no gateway", async () => {
  const { token } = await steal(1);
  const thief = await enrolMachine(app, { token });
  const { messages } = await sayHello(thief, meshId);
  const [snapshot] = messages;
  if (snapshot?.type !== "sync.snapshot") throw new Error(`${snapshot?.type} came first`);
  const ids = snapshot.members.map(({ machineId }) => machineId);
  expect(ids).toEqual(expect.arrayContaining([victim.machineId, thief.machineId]));
  const own = snapshot.members.find(({ machineId }) => machineId === thief.machineId);
  expect(own).toMatchObject({ isGateway: false });
  expect(snapshot.duties).toEqual([]);
  expect(snapshot.announcements).toEqual([
    { id: routeId, prefixes: ["192.168.7.0/24"], machineIds: [victim.machineId] },
  ]);
});

test("it can't be, change or answer for a machine that is there", async () => {
  const { token } = await steal(5);
  // The victim's public key, and a signature of one's own.
  const own = await toEnrolmentRequest(await createIdentity(), { token });
  const forged = await postEnrolment(app, { ...own, identityKey: victim.identity.publicKey });
  expect(await forged.json()).toMatchObject({ code: "signature_invalid" });
  const thief = await enrolMachine(app, { token });
  const asVictim = await fetchAs(
    app,
    { identity: thief.identity, machineId: victim.machineId },
    AGENT_PATHS.machineSync,
  );
  expect(await asVictim.json()).toMatchObject({ code: "signature_invalid" });
});

test("revoking it ends that; who came in by it goes with a removal, at once", async () => {
  const { token, id } = await steal(5);
  const thief = await enrolMachine(app, { token });
  await app.call(revokeJoinToken, { params: { joinTokenId: id } });
  const late = await postEnrolment(app, await toEnrolmentRequest(await createIdentity(), { token }));
  expect(await late.json()).toMatchObject({ code: "join_token_revoked" });
  // Revoking takes nobody out: those who came in rightly stay as well.
  expect((await sayHello(thief, meshId)).status).toBe(200);

  await app.call(removeMember, { params: { meshId, machineId: thief.machineId } });
  expect((await sayHello(thief, meshId)).status).toBe(403);
  await app.call(deleteMachine, { params: { machineId: thief.machineId } });
  const gone = await fetchAs(app, thief, `${AGENT_PATHS.machineSync}?wait=0`);
  expect(await gone.json()).toMatchObject({ code: "machine_removed" });
  expect((await app.call(getMachine, { params: { machineId: victim.machineId } })).status).toBe(200);
});
