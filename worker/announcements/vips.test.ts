import { beforeAll, describe, expect, it } from "vitest";
import { listAuditEvents } from "#schema/api/audit-events";
import { addMember, getMember } from "#schema/api/members";
import { createMesh, getMesh } from "#schema/api/meshes";
import { createVip, deleteVip, getVip, listVips, updateVip } from "#schema/api/vips";
import { createTestApp, uniqueName } from "../testing/create-test-app.ts";
import { enrolMachine } from "../testing/enrolled-machine.ts";
import { eventually } from "../testing/eventually.ts";

const app = createTestApp();
let meshId: string;
let machineId: string;
let host = 100;

const createMeshOf = async (cidr: string) =>
  (await app.call(createMesh, { body: { name: uniqueName("mesh"), cidr } })).reply.id;
const create = (body: object = {}, to = meshId) =>
  app.call(createVip, {
    params: { meshId: to },
    body: { name: uniqueName("vip"), address: `10.1.0.${++host}`, machineIds: [machineId], ...body },
  });
const join = async (to: string, address?: string) => {
  const machine = await enrolMachine(app);
  const body = { machineId: machine.machineId, ...(address === undefined ? {} : { address }) };
  return app.call(addMember, { params: { meshId: to }, body });
};

beforeAll(async () => {
  meshId = await createMeshOf("10.1.0.0/24");
  machineId = (await enrolMachine(app, { meshIds: [meshId] })).machineId;
});

it("a holder that would join a mesh around its own is told of the mesh, not of the VIP", async () => {
  await create();
  const around = await createMeshOf("10.1.0.0/16");
  await eventually(async () => {
    const joined = await app.call(addMember, { params: { meshId: around }, body: { machineId } });
    expect(joined.problem).toMatchObject({ code: "cidr_overlap", detail: expect.stringContaining(meshId) });
  });
});

describe("creating a VIP", () => {
  it("answers it with both addresses, and it can be read and listed", async () => {
    const healthCheck = { type: "http", target: "/healthz" };
    const { reply } = await create({ address: "10.1.0.200", healthCheck });
    expect(reply).toMatchObject({ meshId, address: "10.1.0.200", machineIds: [machineId], enabled: true, healthCheck });
    expect(reply.address6).toMatch(/^fd.*::c8$/);
    expect(reply.healthCheck).toMatchObject({ intervalSeconds: 5, timeoutSeconds: 3, unhealthyThreshold: 3 });
    expect((await app.call(getVip, { params: { meshId, vipId: reply.id } })).reply).toEqual(reply);
    expect((await app.call(listVips, { params: { meshId } })).reply.items).toContainEqual(reply);
  });

  it("refuses a member's address, another VIP's, and one that is none of the mesh", async () => {
    const { address } = (await app.call(getMember, { params: { meshId, machineId } })).reply;
    expect((await create({ address })).problem).toMatchObject({ code: "address_taken", errors: [{ path: "address" }] });
    const taken = (await create()).reply.address;
    expect((await create({ address: taken })).problem.code).toBe("address_taken");
    for (const outside of ["10.2.0.1", "10.1.0.0", "10.1.0.255"]) {
      const { problem } = await create({ address: outside });
      expect(problem).toMatchObject({ code: "address_outside_mesh", errors: [{ path: "address" }] });
    }
  });

  it("refuses a name that is taken, also when the address is free", async () => {
    const { name } = (await create()).reply;
    const address = "10.1.0.210";
    expect((await create({ name, address })).problem.code).toBe("name_taken");
    expect((await create({ address })).status).toBe(201);
  });

  it("takes the address from the members, who are told how many are left", async () => {
    const tiny = await createMeshOf("192.168.3.0/29");
    const { id } = (await create({ address: "192.168.3.1", machineIds: [] }, tiny)).reply;
    expect((await join(tiny)).reply.address).toBe("192.168.3.2");
    expect((await join(tiny, "192.168.3.1")).problem.code).toBe("address_taken");
    const available = async () => (await app.call(getMesh, { params: { meshId: tiny } })).reply.availableAddressCount;
    await eventually(async () => expect(await available()).toBe(4));
    await app.call(deleteVip, { params: { meshId: tiny, vipId: id } });
    await eventually(async () => expect(await available()).toBe(5));
  });
});

describe("changing a VIP", () => {
  it("moves it to another address, and the first is free for another VIP at once, and for no member", async () => {
    const before = (await create()).reply;
    const params = { meshId, vipId: before.id };
    const moved = (await app.call(updateVip, { params, body: { address: "10.1.0.220" } })).reply;
    expect(moved).toEqual({ ...before, address: "10.1.0.220", address6: expect.stringMatching(/::dc$/) });
    expect((await join(meshId, before.address)).problem.code).toBe("address_taken");
    expect((await create({ address: before.address })).status).toBe(201);
  });

  it("keeps its address when the new one is refused", async () => {
    const before = (await create()).reply;
    const params = { meshId, vipId: before.id };
    const body = { address: "10.9.0.1", enabled: false };
    expect((await app.call(updateVip, { params, body })).problem.code).toBe("address_outside_mesh");
    expect((await app.call(getVip, { params })).reply).toEqual(before);
    expect((await create({ address: before.address })).problem.code).toBe("address_taken");
  });

  it("is in the audit trail", async () => {
    const { id, name } = (await create()).reply;
    const params = { meshId, vipId: id };
    await app.call(updateVip, { params, body: { healthCheck: { type: "tcp", target: ":1" }, machineIds: [] } });
    await app.call(deleteVip, { params });
    await eventually(async () => {
      const events = (await app.call(listAuditEvents, { query: { subjectId: id } })).reply.items;
      expect(events.map(({ action }) => action)).toEqual(["vip.deleted", "vip.updated", "vip.created"]);
      expect(events[2]?.details).toMatchObject({ name, address: expect.any(String), enabled: true });
    });
    expect((await app.call(deleteVip, { params })).problem.code).toBe("vip_not_found");
  });
});
