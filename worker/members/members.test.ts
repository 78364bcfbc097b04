import { beforeAll, describe, expect, it } from "vitest";
import { listAuditEvents } from "#schema/api/audit-events";
import { getMachine } from "#schema/api/machines";
import { addMember, getMember, listMembers, removeMember } from "#schema/api/members";
import { createMesh, getMesh } from "#schema/api/meshes";
import { createTestApp, uniqueName } from "../testing/create-test-app.ts";
import { enrolMachine } from "../testing/enrolled-machine.ts";
import { eventually } from "../testing/eventually.ts";

const app = createTestApp();
const UNKNOWN_MESH = "msh_01arz3ndektsv4rrffq69g5fav";
const UNKNOWN_MACHINE = "mch_01arz3ndektsv4rrffq69g5fav";
let meshId: string;

const createMeshOf = async (cidr: string) =>
  (await app.call(createMesh, { body: { name: uniqueName("mesh"), cidr } })).reply.id;
const add = (machineId: string, to = meshId, address?: string) =>
  app.call(addMember, { params: { meshId: to }, body: { machineId, ...(address === undefined ? {} : { address }) } });

beforeAll(async () => {
  meshId = await createMeshOf("10.1.0.0/16");
});

describe("adding a member", () => {
  it("gives it the lowest free address and the same host number in IPv6", async () => {
    const mesh = await createMeshOf("10.200.0.0/24");
    const first = await enrolMachine(app);
    const member = (await add(first.machineId, mesh)).reply;
    expect(member).toMatchObject({
      machineId: first.machineId,
      name: first.name,
      address: "10.200.0.1",
      publicKey: null,
    });
    expect(member.address6).toMatch(/::1$/);
    const second = await enrolMachine(app);
    expect((await add(second.machineId, mesh)).reply.address).toBe("10.200.0.2");
  });

  it("gives it the address that is asked for", async () => {
    const { machineId } = await enrolMachine(app);
    expect((await add(machineId, meshId, "10.1.77.7")).reply.address).toBe("10.1.77.7");
    expect((await app.call(getMember, { params: { meshId, machineId } })).reply.address).toBe("10.1.77.7");
  });

  it("refuses an address that is taken, or not in the mesh, and names the field", async () => {
    const [one, two] = [await enrolMachine(app), await enrolMachine(app)];
    await add(one.machineId, meshId, "10.1.5.5");
    const taken = await add(two.machineId, meshId, "10.1.5.5");
    expect(taken.problem).toMatchObject({ code: "address_taken", errors: [{ path: "address" }] });
    const outside = await add(two.machineId, meshId, "10.2.0.1");
    expect(outside.problem).toMatchObject({ code: "address_outside_mesh", errors: [{ path: "address" }] });
  });

  it("refuses a machine that is in it already", async () => {
    const { machineId } = await enrolMachine(app);
    await add(machineId);
    expect((await add(machineId)).problem.code).toBe("already_member");
  });

  it("refuses a mesh whose network overlaps one that the machine is in", async () => {
    const { machineId } = await enrolMachine(app);
    await add(machineId);
    const overlapping = await createMeshOf("10.1.128.0/24");
    expect((await add(machineId, overlapping)).problem.code).toBe("cidr_overlap");
  });

  it("says when the mesh has no address left", async () => {
    const tiny = await createMeshOf("192.168.3.0/30");
    for (let index = 0; index < 2; index++) await add((await enrolMachine(app)).machineId, tiny);
    const refused = await add((await enrolMachine(app)).machineId, tiny);
    expect(refused.problem).toMatchObject({ code: "address_pool_exhausted", status: 409 });
  });

  it("answers what is missing: the mesh or the machine", async () => {
    const { machineId } = await enrolMachine(app);
    expect((await add(machineId, UNKNOWN_MESH)).problem.code).toBe("mesh_not_found");
    expect((await add(UNKNOWN_MACHINE)).problem.code).toBe("machine_not_found");
  });
});

describe("removing a member", () => {
  it("takes it out, and a second time says that it is not there", async () => {
    const { machineId } = await enrolMachine(app);
    await add(machineId);
    const params = { meshId, machineId };
    expect((await app.call(removeMember, { params })).status).toBe(204);
    expect((await app.call(getMember, { params })).problem.code).toBe("member_not_found");
    expect((await app.call(removeMember, { params })).problem.code).toBe("member_not_found");
  });

  it("answers what is missing", async () => {
    const missing = (params: { meshId: string; machineId: string }) => app.call(removeMember, { params });
    expect((await missing({ meshId: UNKNOWN_MESH, machineId: UNKNOWN_MACHINE })).problem.code).toBe("mesh_not_found");
    expect((await missing({ meshId, machineId: UNKNOWN_MACHINE })).problem.code).toBe("member_not_found");
    expect(
      (await app.call(getMember, { params: { meshId: UNKNOWN_MESH, machineId: UNKNOWN_MACHINE } })).problem.code,
    ).toBe("mesh_not_found");
  });
});

describe("what members change", () => {
  it("shows in the mesh's counts, in the machine and in the audit trail", async () => {
    const mesh = await createMeshOf("10.210.0.0/24");
    const { machineId } = await enrolMachine(app);
    const { address } = (await add(machineId, mesh)).reply;
    await eventually(async () => {
      const counts = (await app.call(getMesh, { params: { meshId: mesh } })).reply;
      expect(counts).toMatchObject({ memberCount: 1, availableAddressCount: 253 });
    });
    const machine = (await app.call(getMachine, { params: { machineId } })).reply;
    expect(machine.meshes).toMatchObject([{ meshId: mesh, address }]);
    await app.call(removeMember, { params: { meshId: mesh, machineId } });
    await eventually(async () => {
      const events = (await app.call(listAuditEvents, { query: { meshId: mesh } })).reply.items;
      expect(events.map(({ action }) => action)).toEqual(["member.removed", "member.added", "mesh.created"]);
      expect(events[0]).toMatchObject({ actor: { kind: "owner_token", id: null }, meshId: mesh });
    });
    expect((await app.call(getMesh, { params: { meshId: mesh } })).reply.memberCount).toBe(0);
  });
});

describe("the list of members", () => {
  it("pages through all of them in order", async () => {
    const mesh = await createMeshOf("10.220.0.0/24");
    const made: string[] = [];
    for (let index = 0; index < 5; index++) made.push((await enrolMachine(app, { meshIds: [mesh] })).machineId);
    const seen: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const query: Record<string, string> = cursor === "" ? { limit: "2" } : { limit: "2", cursor };
      const page = (await app.call(listMembers, { params: { meshId: mesh }, query })).reply;
      seen.push(...page.items.map(({ machineId }) => machineId));
      cursor = page.nextCursor;
    }
    expect(seen).toEqual(made.sort());
  });

  it("refuses a cursor of another list, and a mesh that is not there", async () => {
    const query = { cursor: btoa(meshId) };
    expect((await app.call(listMembers, { params: { meshId }, query })).problem.code).toBe("cursor_invalid");
    expect((await app.call(listMembers, { params: { meshId: UNKNOWN_MESH } })).problem.code).toBe("mesh_not_found");
  });
});
