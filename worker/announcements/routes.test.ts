import { beforeAll, describe, expect, it } from "vitest";
import { listAuditEvents } from "#schema/api/audit-events";
import { getMachine } from "#schema/api/machines";
import { addMember, removeMember } from "#schema/api/members";
import { createMesh, deleteMesh } from "#schema/api/meshes";
import { createRoute, deleteRoute, getRoute, listRoutes, updateRoute } from "#schema/api/routes";
import { MAX_ROUTES_PER_MESH } from "#schema/limits";
import { createTestApp, uniqueName } from "../testing/create-test-app.ts";
import { enrolMachine } from "../testing/enrolled-machine.ts";
import { eventually } from "../testing/eventually.ts";

const app = createTestApp();
const UNKNOWN = "msh_01arz3ndektsv4rrffq69g5fav";
let meshId: string;
let machineId: string;
let network = 0;

const createMeshOf = async (cidr: string) =>
  (await app.call(createMesh, { body: { name: uniqueName("mesh"), cidr } })).reply.id;
const freshPrefix = () => `100.${64 + (++network >> 8)}.${network & 255}.0/24`;
const create = (body: object = {}, to = meshId) =>
  app.call(createRoute, {
    params: { meshId: to },
    body: { name: uniqueName("lan"), prefixes: [freshPrefix()], machineIds: [machineId], ...body },
  });

beforeAll(async () => {
  meshId = await createMeshOf("10.1.0.0/16");
  machineId = (await enrolMachine(app, { meshIds: [meshId] })).machineId;
});

describe("creating a route", () => {
  it("answers it with its defaults, and it can be read and listed", async () => {
    const prefixes = [freshPrefix(), "fd00:7::/64"];
    const { reply } = await create({ prefixes });
    expect(reply).toMatchObject({
      ...{ meshId, prefixes, machineIds: [machineId], enabled: true },
      ...{ isMasquerading: false, allowsDefaultRoute: false, healthCheck: null },
    });
    expect(reply.id).toMatch(/^rt_/);
    const { warnings, ...route } = reply;
    expect(warnings).toEqual([]);
    expect((await app.call(getRoute, { params: { meshId, routeId: reply.id } })).reply).toEqual(route);
    expect((await app.call(listRoutes, { params: { meshId } })).reply.items).toContainEqual(route);
  });

  it("refuses a name that another route has", async () => {
    const { name } = (await create()).reply;
    expect((await create({ name })).problem).toMatchObject({ code: "name_taken", errors: [{ path: "name" }] });
  });

  it.each(["10.1.0.0/16", "10.1.7.0/24", "10.1.7.7/32", "10.0.0.0/8"])(
    "refuses %s, which overlaps the mesh's own network, beside one that does not",
    async (prefix) => {
      const { problem } = await create({ prefixes: [freshPrefix(), prefix] });
      expect(problem).toMatchObject({ code: "cidr_overlap", errors: [{ path: "prefixes.1" }] });
    },
  );

  it("refuses the network of another mesh that one of its machines is in, and takes it of others", async () => {
    const other = await createMeshOf("10.2.0.0/16");
    const inBoth = await enrolMachine(app, { meshIds: [meshId, other] });
    const body = { prefixes: ["10.2.7.0/24"], machineIds: [machineId, inBoth.machineId] };
    await eventually(async () => {
      const answer = await app.call(getMachine, { params: { machineId: inBoth.machineId } });
      expect(answer.reply.meshes).toHaveLength(2);
    });
    expect((await create(body)).problem).toMatchObject({ code: "cidr_overlap", errors: [{ path: "prefixes.0" }] });
    const { reply } = await create({ ...body, machineIds: [machineId] });
    const params = { meshId, routeId: reply.id };
    expect(reply.warnings).toMatchObject([{ code: "cidr_overlap", meshId: other }]);
    expect(reply.warnings[0]?.message).toContain("which machines of this mesh are in");
    const added = await app.call(updateRoute, { params, body: { machineIds: [machineId, inBoth.machineId] } });
    expect(added.problem.code).toBe("cidr_overlap");
    await app.call(deleteRoute, { params });
  });

  it("refuses a prefix that another route has, and says what to do; an overlapping one is another", async () => {
    const { name, prefixes } = (await create()).reply;
    const { problem } = await create({ prefixes });
    expect(problem).toMatchObject({ code: "prefix_taken", errors: [{ path: "prefixes.0" }] });
    expect(problem.detail).toContain(`the route ${name} has ${prefixes[0]}`);
    expect((await create({ prefixes: [prefixes[0]?.replace("0/24", "128/25")] })).status).toBe(201);
  });

  it.each(["0.0.0.0/0", "::/0", "128.0.0.0/1"])("takes the default route %s only when it is said", async (prefix) => {
    const refused = await create({ prefixes: [prefix] });
    expect(refused.problem).toMatchObject({ code: "default_route_not_allowed", errors: [{ path: "prefixes.0" }] });
    const { reply } = await create({ prefixes: [prefix], allowsDefaultRoute: true });
    const params = { meshId, routeId: reply.id };
    const taken = await app.call(updateRoute, { params, body: { allowsDefaultRoute: false } });
    expect(taken.problem.code).toBe("default_route_not_allowed");
    await app.call(deleteRoute, { params });
  });

  it.each([
    [{ prefixes: ["127.0.0.0/8"] }, "prefixes.0"],
    [{ prefixes: ["192.168.1.1/24"] }, "prefixes.0"],
    [{ prefixes: [] }, "prefixes"],
    [{ prefixes: ["172.31.0.0/24", "172.31.0.0/24"] }, "prefixes"],
    [{ healthCheck: { type: "tcp", target: "nowhere" } }, "healthCheck.target"],
    [{ name: "No Name" }, "name"],
  ])("refuses %j", async (body, path) => {
    expect((await create(body)).problem).toMatchObject({ code: "validation_failed", errors: [{ path }] });
  });

  it("refuses machines that are no members", async () => {
    const stranger = (await enrolMachine(app)).machineId;
    const { problem } = await create({ machineIds: [machineId, stranger] });
    expect(problem).toMatchObject({ code: "member_not_found", errors: [{ path: "machineIds.1" }] });
  });

  it("answers a repeated request as it did", async () => {
    const request = {
      params: { meshId },
      body: { name: uniqueName("lan"), prefixes: [freshPrefix()], machineIds: [] },
      headers: { "idempotency-key": uniqueName("key") },
    };
    const first = await app.call(createRoute, request);
    expect((await app.call(createRoute, request)).reply).toEqual(first.reply);
  });

  it("has an end", async () => {
    const full = await createMeshOf("10.3.0.0/16");
    const body = (index: number) => ({ prefixes: [`172.16.${index}.0/24`], machineIds: [] });
    for (let index = 0; index < MAX_ROUTES_PER_MESH; index++) await create(body(index), full);
    expect((await create({ prefixes: ["172.17.0.0/24"], machineIds: [] }, full)).problem.code).toBe("limit_reached");
  });

  it("answers what is missing", async () => {
    expect((await create({}, UNKNOWN)).problem.code).toBe("mesh_not_found");
    const params = { meshId, routeId: "rt_01arz3ndektsv4rrffq69g5fav" };
    expect((await app.call(getRoute, { params })).problem.code).toBe("route_not_found");
    expect((await app.call(updateRoute, { params, body: {} })).problem.code).toBe("route_not_found");
    expect((await app.call(deleteRoute, { params })).problem.code).toBe("route_not_found");
  });

  it("is for admins, and reading for viewers", async () => {
    const body = { name: uniqueName("lan"), prefixes: [freshPrefix()], machineIds: [] };
    expect((await app.call(createRoute, { params: { meshId }, body, as: "viewer" })).problem.code).toBe("forbidden");
    const routeId = (await app.call(createRoute, { params: { meshId }, body, as: "admin" })).reply.id;
    const params = { meshId, routeId };
    expect((await app.call(getRoute, { params, as: "viewer" })).status).toBe(200);
    expect((await app.call(updateRoute, { params, body: {}, as: "viewer" })).problem.code).toBe("forbidden");
    expect((await app.call(deleteRoute, { params, as: "viewer" })).problem.code).toBe("forbidden");
  });
});

describe("changing a route", () => {
  it("changes what is said, keeps the rest, and frees what it gave up", async () => {
    const before = (await create({ healthCheck: { type: "tcp", target: ":1" } })).reply;
    const params = { meshId, routeId: before.id };
    const change = { name: uniqueName("lan"), prefixes: [freshPrefix()], enabled: false, isMasquerading: true };
    expect((await app.call(updateRoute, { params, body: change })).reply).toEqual({
      ...before,
      ...change,
      announcers: [],
    });
    const healed = await app.call(updateRoute, { params, body: { healthCheck: null } });
    expect(healed.reply.healthCheck).toBeNull();
    expect((await create({ name: before.name, prefixes: before.prefixes })).status).toBe(201);
  });

  it("is refused as creating is", async () => {
    const [one, other] = [(await create()).reply, (await create()).reply];
    const change = async (body: object) =>
      (await app.call(updateRoute, { params: { meshId, routeId: one.id }, body })).problem.code;
    expect(await change({ name: other.name })).toBe("name_taken");
    expect(await change({ prefixes: other.prefixes })).toBe("prefix_taken");
    expect(await change({ prefixes: ["10.1.9.0/24"] })).toBe("cidr_overlap");
    expect(await change({ machineIds: ["mch_01arz3ndektsv4rrffq69g5fav"] })).toBe("member_not_found");
  });
});

it("a machine that announces a network joins no mesh that has it", async () => {
  const [here, there] = [await createMeshOf("10.7.0.0/24"), await createMeshOf("10.8.0.0/16")];
  const machine = await enrolMachine(app, { meshIds: [here] });
  const created = await create({ prefixes: ["10.8.7.0/24"], machineIds: [machine.machineId] }, here);
  await eventually(async () => {
    const answer = await app.call(getMachine, { params: { machineId: machine.machineId } });
    expect(answer.reply.meshes).toHaveLength(1);
  });
  const join = () => app.call(addMember, { params: { meshId: there }, body: { machineId: machine.machineId } });
  expect((await join()).problem).toMatchObject({
    code: "cidr_overlap",
    detail: expect.stringContaining("10.8.7.0/24"),
  });
  await app.call(deleteRoute, { params: { meshId: here, routeId: created.reply.id } });
  expect((await join()).status).toBe(201);
});

describe("what routes change", () => {
  it("is in the audit trail, commands that run as root too", async () => {
    const mesh = await createMeshOf("10.4.0.0/24");
    const healthCheck = { type: "exec", target: ["/usr/bin/pg_isready", "-q"] };
    const { id, name } = (await create({ machineIds: [], healthCheck }, mesh)).reply;
    const params = { meshId: mesh, routeId: id };
    await app.call(updateRoute, { params, body: { enabled: false } });
    await app.call(updateRoute, { params, body: { enabled: false } });
    expect((await app.call(deleteRoute, { params })).status).toBe(204);
    await eventually(async () => {
      const events = (await app.call(listAuditEvents, { query: { subjectId: id } })).reply.items;
      expect(events.map(({ action }) => action)).toEqual(["route.deleted", "route.updated", "route.created"]);
      expect(events.map(({ details }) => details)).toMatchObject([{ name }, { enabled: false }, { name, healthCheck }]);
      expect(events[0]).toMatchObject({ actor: { kind: "owner_token" }, meshId: mesh });
    });
  });

  it("ends with the membership of a machine, and with the mesh", async () => {
    const mesh = await createMeshOf("10.5.0.0/24");
    const [stays, leaves] = [
      await enrolMachine(app, { meshIds: [mesh] }),
      await enrolMachine(app, { meshIds: [mesh] }),
    ];
    const machineIds = [leaves.machineId, stays.machineId];
    const { id: routeId } = (await create({ machineIds }, mesh)).reply;
    await app.call(removeMember, { params: { meshId: mesh, machineId: leaves.machineId } });
    const params = { meshId: mesh, routeId };
    expect((await app.call(getRoute, { params })).reply.machineIds).toEqual([stays.machineId]);
    await eventually(async () => {
      const query = { subjectId: leaves.machineId, action: "member.removed" };
      const [event] = (await app.call(listAuditEvents, { query })).reply.items;
      expect(event?.details).toMatchObject({ announcementIds: [routeId] });
    });
    await app.call(addMember, { params: { meshId: mesh }, body: { machineId: leaves.machineId } });
    expect((await app.call(getRoute, { params })).reply.machineIds).toEqual([stays.machineId]);
    await app.call(deleteMesh, { params: { meshId: mesh }, query: { force: "true" } });
    expect((await app.call(getRoute, { params })).problem.code).toBe("mesh_not_found");
  });
});

it("routes are listed page by page", async () => {
  const mesh = await createMeshOf("10.6.0.0/24");
  const made: string[] = [];
  for (let index = 0; index < 5; index++) made.push((await create({ machineIds: [] }, mesh)).reply.id);
  const seen: string[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const query: Record<string, string> = cursor === "" ? { limit: "2" } : { limit: "2", cursor };
    const page = (await app.call(listRoutes, { params: { meshId: mesh }, query })).reply;
    seen.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor;
  }
  expect(seen).toEqual(made.sort());
  const query = { cursor: btoa(machineId) };
  expect((await app.call(listRoutes, { params: { meshId: mesh }, query })).problem.code).toBe("cursor_invalid");
});
