// D1 or an object fails in the middle of a change: the caller is told to try again, and trying again brings it to its end.
import { describe, expect, it } from "vitest";
import { listAuditEvents } from "#schema/api/audit-events";
import { createMesh, deleteMesh, getMesh, listMeshes, updateMesh } from "#schema/api/meshes";
import type { MeshObjectRpc } from "../mesh-object/rpc.ts";
import { createTestApp, uniqueName } from "../testing/create-test-app.ts";
import { enrolMachine } from "../testing/enrolled-machine.ts";

const app = createTestApp();
const quiet = { ...app.services.log, error: () => undefined };
const lost = () => {
  throw new Error("D1_ERROR: Network connection lost.");
};

/** An app whose D1 writes fail while `isDown()`. */
const withFailingBatches = (isDown: () => boolean) =>
  createTestApp({
    log: quiet,
    db: new Proxy(app.services.db, {
      get: (target, key) => (key === "batch" && isDown() ? lost : Reflect.get(target, key)),
    }),
  });

const nameOf = async (meshId: string) => (await app.call(getMesh, { params: { meshId } })).reply.name;
const create = async (body: object = {}) =>
  (await app.call(createMesh, { body: { name: uniqueName("mesh"), cidr: "10.1.0.0/24", ...body } })).reply;

describe("creating a mesh while D1 fails", () => {
  it("leaves nothing behind, and works afterwards", async () => {
    let isDown = true;
    const initialised: string[] = [];
    const failing = createTestApp({
      log: quiet,
      db: withFailingBatches(() => isDown).services.db,
      objects: {
        ...app.services.objects,
        mesh: (meshId) => {
          initialised.push(meshId);
          return app.services.objects.mesh(meshId);
        },
      },
    });
    const request = { body: { name: uniqueName("mesh"), cidr: "10.1.0.0/24" } };
    expect((await failing.call(createMesh, request)).problem.code).toBe("unavailable");
    const orphan = app.services.objects.mesh(initialised[0] ?? "");
    expect(await orphan.listMembers({ after: null, limit: 1 })).toMatchObject({ error: { code: "mesh_not_found" } });
    const { items } = (await app.call(listMeshes, { query: { limit: "500" } })).reply;
    expect(items.map(({ name }) => name)).not.toContain(request.body.name);
    isDown = false;
    expect((await failing.call(createMesh, request)).status).toBe(201);
  });
});

describe("renaming a mesh whose object fails", () => {
  it("reaches the object when it is repeated, and is written down once", async () => {
    let isDown = true;
    const { objects } = app.services;
    const failing = createTestApp({
      log: quiet,
      objects: {
        ...objects,
        mesh: (meshId) => {
          if (!isDown) return objects.mesh(meshId);
          const broken: Partial<MeshObjectRpc> = { rename: () => Promise.reject(new Error("reset")) };
          return broken as MeshObjectRpc;
        },
      },
    });
    const { id } = await create();
    const request = { params: { meshId: id }, body: { name: uniqueName("renamed") } };
    expect((await failing.call(updateMesh, request)).status).toBe(500);
    isDown = false;
    expect((await failing.call(updateMesh, request)).status).toBe(200);
    expect((await enrolMachine(app, { meshIds: [id] })).meshes).toEqual([{ meshId: id, name: request.body.name }]);
    const query = { subjectId: id, action: "mesh.updated" };
    expect((await app.call(listAuditEvents, { query })).reply.items).toHaveLength(1);
  });
});

describe("making a mesh the default while D1 fails", () => {
  it("keeps the one that was", async () => {
    const [first, second] = [await create({ isDefault: true }), await create()];
    const failing = withFailingBatches(() => true);
    const answer = await failing.call(updateMesh, { params: { meshId: second.id }, body: { isDefault: true } });
    expect(answer.problem.code).toBe("unavailable");
    expect((await app.call(getMesh, { params: { meshId: first.id } })).reply.isDefault).toBe(true);
  });
});

describe("deleting a mesh while D1 fails", () => {
  it("can be repeated to its end, and is written down once", async () => {
    let isDown = true;
    const failing = withFailingBatches(() => isDown);
    const { id, name } = await create();
    await enrolMachine(app, { meshIds: [id] });
    const request = { params: { meshId: id }, query: { force: "true" } };
    expect((await failing.call(deleteMesh, request)).problem.code).toBe("unavailable");
    expect(await nameOf(id)).toBe(name);
    isDown = false;
    expect((await failing.call(deleteMesh, { params: { meshId: id } })).status).toBe(204);
    const query = { subjectId: id, action: "mesh.deleted" };
    expect((await app.call(listAuditEvents, { query })).reply.items).toHaveLength(1);
  });
});
