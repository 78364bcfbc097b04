import { describe, expect, it } from "vitest";
import { updateMachine } from "#schema/api/machines";
import { addMember } from "#schema/api/members";
import { createMesh } from "#schema/api/meshes";
import { createRoute, updateRoute } from "#schema/api/routes";
import { createTestApp, uniqueName } from "../testing/create-test-app.ts";
import { enrolMachine } from "../testing/enrolled-machine.ts";

const app = createTestApp();

const createMeshOf = async (name: string, cidr: string) =>
  (await app.call(createMesh, { body: { name: uniqueName(name), cidr } })).reply;
const setGateway = (machineId: string) => app.call(updateMachine, { params: { machineId }, body: { gateway: true } });

/** A gateway connects one and middle; `far` overlaps `one`. */
async function createChain() {
  const [one, middle, far] = await Promise.all([
    createMeshOf("one", "10.1.0.0/16"),
    createMeshOf("middle", "10.2.0.0/16"),
    createMeshOf("far", "10.1.9.0/24"),
  ]);
  const gateway = await enrolMachine(app, { meshIds: [one.id, middle.id] });
  expect((await setGateway(gateway.machineId)).status).toBe(200);
  return { one, middle, far, gateway };
}

describe("meshes whose networks overlap are not connected by way of others", () => {
  it("when a machine becomes a gateway", async () => {
    const { one, middle, far } = await createChain();
    const { machineId } = await enrolMachine(app, { meshIds: [middle.id, far.id] });
    const { problem } = await setGateway(machineId);
    expect(problem).toMatchObject({ code: "cidr_overlap", status: 409 });
    expect(problem.detail).toContain(`${far.name} (10.1.9.0/24)`);
    expect(problem.detail).toContain(`${one.name} (10.1.0.0/16)`);
  });

  it("when a gateway joins a mesh", async () => {
    const { middle, far } = await createChain();
    const { machineId } = await enrolMachine(app, { meshIds: [far.id] });
    expect((await setGateway(machineId)).status).toBe(200);
    const joined = await app.call(addMember, { params: { meshId: middle.id }, body: { machineId } });
    expect(joined.problem.code).toBe("cidr_overlap");
    const other = await createMeshOf("other", "10.3.0.0/16");
    expect((await app.call(addMember, { params: { meshId: other.id }, body: { machineId } })).status).toBe(201);
  });
});

it("a route that overlaps a mesh which gateways connect works, with a warning", async () => {
  const { one, middle } = await createChain();
  const { machineId } = await enrolMachine(app, { meshIds: [middle.id] });
  const params = { meshId: middle.id };
  const body = { name: "lan", prefixes: ["10.1.128.0/24", "192.168.7.0/24"], machineIds: [machineId] };
  const route = (await app.call(createRoute, { params, body })).reply;
  expect(route.warnings).toMatchObject([{ code: "cidr_overlap", meshId: one.id }]);
  expect(route.warnings[0]?.message).toContain(`10.1.128.0/24 overlaps 10.1.0.0/16 of the mesh ${one.name}`);
  const change = { params: { ...params, routeId: route.id }, body: { prefixes: ["192.168.7.0/24"] } };
  expect((await app.call(updateRoute, change)).reply.warnings).toEqual([]);
});
