import { describe, expect, it } from "vitest";
import { listAuditEvents } from "#schema/api/audit-events";
import { deleteMachine, updateMachine } from "#schema/api/machines";
import { addMember, listMembers, removeMember } from "#schema/api/members";
import { createMesh, deleteMesh, getMesh, listMeshes, updateMesh } from "#schema/api/meshes";
import { FIRST_PRIVATE_ASN } from "#schema/mesh";
import { createTestApp, uniqueName } from "../testing/create-test-app.ts";
import { enrolMachine } from "../testing/enrolled-machine.ts";
import { eventually } from "../testing/eventually.ts";

const app = createTestApp();
const UNKNOWN = "msh_01arz3ndektsv4rrffq69g5fav";
let nextNetwork = 0;
const freshCidr = () => `10.${++nextNetwork}.0.0/24`;
const create = async (body: object = {}) =>
  (await app.call(createMesh, { body: { name: uniqueName("mesh"), cidr: freshCidr(), ...body } })).reply;

describe("creating a mesh", () => {
  it("answers it with an AS number, a ULA /64 and every address free", async () => {
    const mesh = await create({ cidr: "192.168.7.0/24" });
    expect(mesh).toMatchObject({
      cidr: "192.168.7.0/24",
      isDefault: false,
      memberCount: 0,
      availableAddressCount: 254,
    });
    expect(mesh.cidr6).toMatch(/^fd[0-9a-f:]+::\/64$/);
    expect(mesh.asn).toBeGreaterThanOrEqual(FIRST_PRIVATE_ASN);
    expect((await app.call(getMesh, { params: { meshId: mesh.id } })).reply).toEqual(
      expect.objectContaining({ id: mesh.id, name: mesh.name, asn: mesh.asn }),
    );
  });

  it("gives each mesh another AS number and another ULA, also when many are created at once", async () => {
    const meshes = await Promise.all(Array.from({ length: 8 }, () => create()));
    expect(new Set(meshes.map(({ asn }) => asn)).size).toBe(8);
    expect(new Set(meshes.map(({ cidr6 }) => cidr6)).size).toBe(8);
  });

  it("takes an AS number that is asked for, and refuses it a second time", async () => {
    const asn = 4_200_009_999;
    expect((await create({ asn })).asn).toBe(asn);
    const again = await app.call(createMesh, { body: { name: uniqueName("mesh"), cidr: freshCidr(), asn } });
    expect(again.problem).toMatchObject({ code: "asn_taken", errors: [{ path: "asn" }] });
  });

  it("refuses a name that is taken", async () => {
    const { name } = await create();
    const again = await app.call(createMesh, { body: { name, cidr: freshCidr() } });
    expect(again.problem).toMatchObject({ code: "name_taken", errors: [{ path: "name" }] });
  });

  it("warns of a network that overlaps another mesh's, and creates it", async () => {
    const first = await create({ cidr: "172.20.0.0/16" });
    const second = await create({ cidr: "172.20.5.0/24" });
    expect(second.warnings).toEqual([expect.objectContaining({ code: "cidr_overlap", meshId: first.id })]);
  });

  it.each([
    ["8.8.8.0/24", "public"],
    ["10.0.0.1/24", "host bits set"],
    ["10.0.0.0/7", "too large"],
    ["10.0.0.0/31", "too small"],
    ["172.0.0.0/8", "partly public"],
    ["fd00::/64", "IPv6"],
    ["10.0.0.0", "no network"],
  ])("refuses %s: %s", async (cidr) => {
    const answer = await app.call(createMesh, { body: { name: uniqueName("mesh"), cidr } });
    expect(answer.problem).toMatchObject({ code: "validation_failed", status: 422 });
    expect(answer.problem.errors?.[0]?.path).toBe("cidr");
  });
});

describe("the default mesh", () => {
  it("is one at most: the newest that was made so", async () => {
    const first = await create({ isDefault: true });
    const second = await create({ isDefault: true });
    const listed = (await app.call(listMeshes, { query: { limit: "500" } })).reply.items;
    expect(listed.filter(({ isDefault }) => isDefault).map(({ id }) => id)).toEqual([second.id]);
    await app.call(updateMesh, { params: { meshId: first.id }, body: { isDefault: true } });
    const relisted = (await app.call(listMeshes, { query: { limit: "500" } })).reply.items;
    expect(relisted.filter(({ isDefault }) => isDefault).map(({ id }) => id)).toEqual([first.id]);
    const none = await app.call(updateMesh, { params: { meshId: first.id }, body: { isDefault: false } });
    expect(none.reply.isDefault).toBe(false);
  });
});

describe("renaming a mesh", () => {
  it("shows the new name, also to those who ask the object", async () => {
    const mesh = await create();
    const name = uniqueName("renamed");
    const answer = await app.call(updateMesh, { params: { meshId: mesh.id }, body: { name } });
    expect(answer.reply).toMatchObject({ id: mesh.id, name });
    const machine = await enrolMachine(app, { meshIds: [mesh.id] });
    expect(machine.meshes).toEqual([{ meshId: mesh.id, name }]);
  });

  it("refuses the name of another mesh, and keeps its own without complaint", async () => {
    const [mesh, other] = [await create(), await create()];
    const params = { meshId: mesh.id };
    const taken = await app.call(updateMesh, { params, body: { name: other.name } });
    expect(taken.problem.code).toBe("name_taken");
    expect((await app.call(updateMesh, { params, body: { name: mesh.name } })).reply.name).toBe(mesh.name);
  });
});

describe("the fallback of a mesh", () => {
  it("is the relay unless it is said otherwise, can be changed, and is written down", async () => {
    expect((await create()).fallback).toBe("relay");
    const { id: meshId } = await create({ fallback: "transit-then-relay" });
    const params = { meshId };
    expect((await app.call(getMesh, { params })).reply.fallback).toBe("transit-then-relay");
    const body = { fallback: "relay-then-transit" };
    expect((await app.call(updateMesh, { params, body })).reply.fallback).toBe("relay-then-transit");
    await app.call(updateMesh, { params, body });
    const events = (await app.call(listAuditEvents, { query: { meshId } })).reply.items;
    expect(events.map(({ action, details }) => [action, details.fallback])).toEqual([
      ["mesh.updated", "relay-then-transit"],
      ["mesh.created", "transit-then-relay"],
    ]);
  });

  it("is one of four words", async () => {
    const { id: meshId } = await create();
    const answer = await app.call(updateMesh, { params: { meshId }, body: { fallback: "direct" } });
    expect(answer.problem.errors?.[0]?.path).toBe("fallback");
  });
});

describe("route reflector mode", () => {
  const params = { meshId: "" };
  const turn = (routeReflectorMode: boolean, more: object = {}) =>
    app.call(updateMesh, { params, body: { routeReflectorMode, ...more } });

  it("is refused to a mesh without gateways, new ones too, with what to do", async () => {
    params.meshId = (await create()).id;
    const { machineId } = await enrolMachine(app, { meshIds: [params.meshId] });
    const refused = await turn(true);
    expect(refused.problem).toMatchObject({ code: "gateway_required", status: 409 });
    expect(refused.problem.errors?.[0]).toMatchObject({ path: "routeReflectorMode" });
    const body = { name: uniqueName("mesh"), cidr: freshCidr(), routeReflectorMode: true };
    expect((await app.call(createMesh, { body })).problem.code).toBe("gateway_required");

    await app.call(updateMachine, { params: { machineId }, body: { gateway: true } });
    const on = await turn(true);
    expect(on.reply.routeReflectorMode).toBe(true);
    expect(on.reply.warnings.map(({ code }) => code)).toEqual(["single_gateway"]);
    expect((await app.call(getMesh, { params })).reply).toMatchObject({ routeReflectorMode: true });
    expect((await turn(false)).reply).toMatchObject({ routeReflectorMode: false, warnings: [] });
    const events = (await app.call(listAuditEvents, { query: { meshId: params.meshId } })).reply.items;
    const modes = events.filter(({ action }) => action === "mesh.updated").map(({ details }) => details);
    expect(modes).toEqual([{ routeReflectorMode: false }, { routeReflectorMode: true }]);
  });

  it("stays as it was when the same change asks for a name that is taken", async () => {
    const [mesh, other] = [await create(), await create()];
    params.meshId = mesh.id;
    const { machineId } = await enrolMachine(app, { meshIds: [mesh.id] });
    await app.call(updateMachine, { params: { machineId }, body: { gateway: true } });
    expect((await turn(true, { name: other.name })).problem.code).toBe("name_taken");
    expect((await app.call(getMesh, { params })).reply.routeReflectorMode).toBe(false);
  });

  it.each([
    [
      "is no gateway any more",
      (machineId: string) => app.call(updateMachine, { params: { machineId }, body: { gateway: false } }),
    ],
    ["leaves", (machineId: string) => app.call(removeMember, { params: { ...params, machineId } })],
    ["is removed", (machineId: string) => app.call(deleteMachine, { params: { machineId } })],
  ])("ends when the last gateway %s, which the audit trail says", async (_, takeAway) => {
    params.meshId = (await create()).id;
    const machines = [
      await enrolMachine(app, { meshIds: [params.meshId] }),
      await enrolMachine(app, { meshIds: [params.meshId] }),
    ];
    for (const { machineId } of machines) {
      await app.call(updateMachine, { params: { machineId }, body: { gateway: true } });
    }
    expect((await turn(true)).reply.warnings).toEqual([]);
    const [one = "", other = ""] = machines.map(({ machineId }): string => machineId);
    await takeAway(one);
    expect((await app.call(getMesh, { params })).reply.routeReflectorMode).toBe(true);
    await takeAway(other);
    await eventually(async () => {
      expect((await app.call(getMesh, { params })).reply.routeReflectorMode).toBe(false);
      const events = (await app.call(listAuditEvents, { query: { meshId: params.meshId } })).reply.items;
      expect(events.find(({ actor }) => actor.kind === "system")).toMatchObject({
        action: "mesh.updated",
        details: { routeReflectorMode: false, reason: expect.any(String) },
      });
    });
  });
});

describe("deleting a mesh", () => {
  it("takes an empty one away", async () => {
    const mesh = await create();
    const params = { meshId: mesh.id };
    expect((await app.call(deleteMesh, { params })).status).toBe(204);
    expect((await app.call(getMesh, { params })).problem.code).toBe("mesh_not_found");
    expect((await app.call(deleteMesh, { params })).problem.code).toBe("mesh_not_found");
  });

  it("refuses one with members unless it is forced", async () => {
    const mesh = await create();
    const params = { meshId: mesh.id };
    const machine = await enrolMachine(app, { meshIds: [mesh.id] });
    expect((await app.call(deleteMesh, { params })).problem.code).toBe("mesh_not_empty");
    expect((await app.call(listMembers, { params })).reply.items).toHaveLength(1);
    expect((await app.call(deleteMesh, { params, query: { force: "true" } })).status).toBe(204);
    const gone = await app.call(addMember, { params, body: { machineId: machine.machineId } });
    expect(gone.problem.code).toBe("mesh_not_found");
  });

  it("frees the name", async () => {
    const { id, name } = await create();
    await app.call(deleteMesh, { params: { meshId: id } });
    expect((await create({ name })).name).toBe(name);
  });
});

describe("lists of meshes", () => {
  it("page by cursors through all of them, in order of creation", async () => {
    const made = [await create(), await create(), await create()].map(({ id }) => id);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const query: Record<string, string> = { limit: "2", ...(cursor === null ? {} : { cursor }) };
      const { items, nextCursor } = (await app.call(listMeshes, { query })).reply;
      expect(items.length).toBeLessThanOrEqual(2);
      seen.push(...items.map(({ id }) => id));
      cursor = nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual([...new Set(seen)].sort());
    expect(seen).toEqual(expect.arrayContaining(made));
  });

  it.each(["nonsense", "bXNoX2Zvbw", "%00"])("refuse the cursor %s", async (cursor) => {
    expect((await app.call(listMeshes, { query: { cursor } })).problem.code).toBe("cursor_invalid");
  });

  it("refuse a limit out of bounds, and name it", async () => {
    const answer = await app.call(listMeshes, { query: { limit: "501" } });
    expect(answer.problem.errors?.[0]?.path).toBe("limit");
  });
});

it.each([getMesh, updateMesh, deleteMesh])(
  "$id answers mesh_not_found for a mesh that is not there",
  async (operation) => {
    const body = operation === updateMesh ? { body: { name: "x" } } : {};
    expect((await app.call(operation, { params: { meshId: UNKNOWN }, ...body })).problem.code).toBe("mesh_not_found");
  },
);
