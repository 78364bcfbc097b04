// What members hear of policy sets, and that they hear it also when the Worker dies in the middle of a change.
import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { updateMachine } from "#schema/api/machines";
import { addMember } from "#schema/api/members";
import { createMesh, updateMesh } from "#schema/api/meshes";
import { createPolicySet, updatePolicySet } from "#schema/api/policy-sets";
import type { MeshId } from "#schema/ids";
import { NO_POLICIES } from "#schema/policy";
import { AGENT_PATHS } from "#schema/wire/enrolment";
import { FromMeshMessage } from "#schema/wire/messages";
import { listMeshesWithPolicySet, updatePolicySetRow } from "../db/policy-sets.ts";
import { createTestApp, uniqueName } from "../testing/create-test-app.ts";
import { type EnrolledMachine, enrolMachine, toApp } from "../testing/enrolled-machine.ts";
import { eventually } from "../testing/eventually.ts";
import { createFakePoller, createHello } from "../testing/fake-agent.ts";

const app = createTestApp();

const createSet = async (defaultLocalPreference: number) =>
  (await app.call(createPolicySet, { body: { name: uniqueName("set"), defaultLocalPreference } })).reply.id;
const createMeshOf = async (cidr: string) =>
  (await app.call(createMesh, { body: { name: uniqueName("mesh"), cidr } })).reply.id;

/** What the member is told when it says hello anew. */
async function readTold(machine: EnrolledMachine, meshId: string) {
  const poller = createFakePoller(toApp(app, machine, AGENT_PATHS.meshSync(meshId)), FromMeshMessage);
  const snapshot = (await poller.post(createHello())).find((message) => message.type === "sync.snapshot");
  const ofMesh = snapshot?.mesh.policies ?? NO_POLICIES;
  const own = snapshot?.policies ?? NO_POLICIES;
  const preference = (policy: typeof own.import) => policy?.defaultLocalPreference ?? null;
  return {
    mesh: [preference(ofMesh.import), preference(ofMesh.export)],
    own: [preference(own.import), preference(own.export)],
  };
}

describe("members are told", () => {
  it("what the mesh uses, all of them, and each what its machine uses", async () => {
    const meshId = await createMeshOf("10.1.0.0/24");
    const machine = await enrolMachine(app, { meshIds: [meshId] });
    const other = await enrolMachine(app, { meshIds: [meshId] });
    expect(await readTold(machine, meshId)).toEqual({ mesh: [null, null], own: [null, null] });
    const [one, two] = [await createSet(1), await createSet(2)];
    await app.call(updateMesh, { params: { meshId }, body: { importPolicySetId: one, exportPolicySetId: two } });
    await app.call(updateMachine, { params: { machineId: machine.machineId }, body: { exportPolicySetId: two } });
    expect(await readTold(machine, meshId)).toEqual({ mesh: [1, 2], own: [null, 2] });
    expect(await readTold(other, meshId)).toEqual({ mesh: [1, 2], own: [null, null] });
    const change = { params: { policySetId: two }, body: { defaultLocalPreference: 22 } };
    await app.call(updatePolicySet, change);
    expect(await readTold(machine, meshId)).toEqual({ mesh: [1, 22], own: [null, 22] });
    await app.call(updateMesh, { params: { meshId }, body: { importPolicySetId: null, exportPolicySetId: null } });
    await app.call(updateMachine, { params: { machineId: machine.machineId }, body: { exportPolicySetId: null } });
    expect(await readTold(machine, meshId)).toEqual({ mesh: [null, null], own: [null, null] });
  });

  it("while they listen: their own with their duties, and nobody else's", async () => {
    const meshId = await createMeshOf("10.1.0.0/24");
    const [machine, other] = [
      await enrolMachine(app, { meshIds: [meshId] }),
      await enrolMachine(app, { meshIds: [meshId] }),
    ];
    const listen = async (listener: EnrolledMachine) => {
      const poller = createFakePoller(toApp(app, listener, AGENT_PATHS.meshSync(meshId)), FromMeshMessage);
      const [told] = (await poller.post(createHello())).filter((message) => message.type === "sync.snapshot");
      return { poller, since: { epoch: told?.epoch ?? "", since: told?.revision ?? 0 } };
    };
    await listen(machine);
    const [hers, others] = [await listen(machine), await listen(other)];
    const policySetId = await createSet(7);
    const body = { importPolicySetId: policySetId };
    await app.call(updateMachine, { params: { machineId: machine.machineId }, body });
    const changesOf = async ({ poller, since }: Awaited<ReturnType<typeof listen>>) =>
      (await poller.poll({ ...since, wait: 1 })).filter((message) => message.type === "sync.changes");
    expect((await changesOf(hers)).at(-1)).toMatchObject({
      ...{ duties: [], policies: { import: { defaultLocalPreference: 7 }, export: null } },
    });
    for (const { duties, policies } of await changesOf(others)) {
      expect({ duties, policies }).toEqual({ duties: undefined, policies: NO_POLICIES });
    }
  });

  it("of a machine that comes later, what it used before", async () => {
    const machine = await enrolMachine(app);
    const policySetId = await createSet(5);
    const { machineId } = machine;
    await app.call(updateMachine, { params: { machineId }, body: { importPolicySetId: policySetId } });
    const meshId = await createMeshOf("10.2.0.0/24");
    await app.call(addMember, { params: { meshId }, body: { machineId } });
    await eventually(async () => expect((await readTold(machine, meshId)).own).toEqual([5, null]));
    await app.call(updatePolicySet, { params: { policySetId }, body: { defaultLocalPreference: 6 } });
    expect((await readTold(machine, meshId)).own).toEqual([6, null]);
  });
});

describe("a change that is interrupted", () => {
  const setUp = async () => {
    const meshId = (await createMeshOf("10.1.0.0/24")) as MeshId;
    const machine = await enrolMachine(app, { meshIds: [meshId] });
    const policySetId = await createSet(1);
    await app.call(updateMesh, { params: { meshId }, body: { importPolicySetId: policySetId } });
    expect((await readTold(machine, meshId)).mesh).toEqual([1, null]);
    return { meshId, machine, policySetId };
  };
  /** The object has one alarm for several purposes: it rings for the others too. */
  const ring = async (meshId: MeshId) => {
    for (let count = 0; count < 3; count++) await runDurableObjectAlarm(env.MESH.getByName(meshId));
  };

  it("after D1 took it is found by the meshes themselves", async () => {
    const { meshId, machine, policySetId } = await setUp();
    const { db, objects } = app.services;
    expect(await listMeshesWithPolicySet(db, policySetId)).toEqual([meshId]);
    await objects.mesh(meshId).expectPolicies();
    await updatePolicySetRow(db, policySetId, { defaultLocalPreference: 2 });
    expect((await readTold(machine, meshId)).mesh).toEqual([1, null]);
    await ring(meshId);
    expect((await readTold(machine, meshId)).mesh).toEqual([2, null]);
  });

  it("before D1 took it costs another look, and one that comes late is found by that", async () => {
    const { meshId, machine, policySetId } = await setUp();
    await app.services.objects.mesh(meshId).expectPolicies();
    await ring(meshId);
    await updatePolicySetRow(app.services.db, policySetId, { defaultLocalPreference: 3 });
    await ring(meshId);
    expect((await readTold(machine, meshId)).mesh).toEqual([3, null]);
  });

  it("is refused, and nothing changed, when a mesh can't be told that it comes", async () => {
    const { meshId, machine, policySetId } = await setUp();
    const { objects, log } = app.services;
    const mesh = () => ({
      ...objects.mesh(meshId),
      expectPolicies: () => Promise.reject(new Error("the object is away")),
    });
    const failing = createTestApp({
      objects: { ...objects, mesh: mesh as unknown as typeof objects.mesh },
      log: { ...log, error: () => undefined },
    });
    const request = { params: { policySetId }, body: { defaultLocalPreference: 4 } };
    expect((await failing.call(updatePolicySet, request)).status).toBeGreaterThanOrEqual(500);
    expect((await readTold(machine, meshId)).mesh).toEqual([1, null]);
    await app.call(updatePolicySet, request);
    expect((await readTold(machine, meshId)).mesh).toEqual([4, null]);
  });
});
