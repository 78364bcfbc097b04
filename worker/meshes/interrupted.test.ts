// D1 or an object fails in the middle of a change: the caller is told to try again, and trying again brings it to its end.
import { describe, expect, it } from "vitest";
import { listAuditEvents } from "#schema/api/audit-events";
import { createMesh, deleteMesh, getMesh, listMeshes, updateMesh } from "#schema/api/meshes";
import type { MeshObjectRpc } from "../mesh-object/rpc.ts";
import { createTestApp, uniqueName } from "../testing/create-test-app.ts";
import { enrolMachine } from "../testing/enrolled-machine.ts";

const app = createTestApp();
const quiet = { ...app.services.log, error: () => undefined, warn: () => undefined };
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

/** An app whose D1 makes a mesh and loses the answer; reads after that fail too while `isDown()`. */
function withLostAnswers(isDown: () => boolean) {
  const { db } = app.services;
  let isLost = false;
  const batch = async (statements: Parameters<typeof db.batch>[0]) => {
    const answer = await db.batch(statements);
    // The claim of an Idempotency-Key is a batch that ends in a select; what creates a mesh ends in an insert.
    if (Array.isArray(answer.at(-1))) return answer;
    isLost = true;
    return lost();
  };
  const select = (...columns: Parameters<typeof db.select>) => (isLost && isDown() ? lost() : db.select(...columns));
  const losing = new Proxy(db, {
    get: (target, key) => (key === "batch" ? batch : key === "select" ? select : Reflect.get(target, key)),
  });
  return createTestApp({ log: quiet, db: losing });
}

const nameOf = async (meshId: string) => (await app.call(getMesh, { params: { meshId } })).reply.name;
const create = async (body: object = {}) =>
  (await app.call(createMesh, { body: { name: uniqueName("mesh"), cidr: "10.1.0.0/24", ...body } })).reply;

describe("creating a mesh while D1 fails", () => {
  it("lists nothing, and works afterwards", async () => {
    let isDown = true;
    const failing = withFailingBatches(() => isDown);
    const request = { body: { name: uniqueName("mesh"), cidr: "10.1.0.0/24" } };
    expect((await failing.call(createMesh, request)).problem.code).toBe("unavailable");
    const { items } = (await app.call(listMeshes, { query: { limit: "500" } })).reply;
    expect(items.map(({ name }) => name)).not.toContain(request.body.name);
    isDown = false;
    expect((await failing.call(createMesh, request)).status).toBe(201);
  });

  it("answers the mesh when only D1's answer was lost, and the mesh works", async () => {
    const losing = withLostAnswers(() => false);
    const mesh = (await losing.call(createMesh, { body: { name: uniqueName("mesh"), cidr: "10.1.0.0/24" } })).reply;
    expect((await enrolMachine(app, { meshIds: [mesh.id] })).meshes).toEqual([{ meshId: mesh.id, name: mesh.name }]);
  });

  it("leaves a mesh that works when D1 can't be asked either, and the repeated request finds its name taken", async () => {
    let isDown = true;
    const losing = withLostAnswers(() => isDown);
    const body = { name: uniqueName("mesh"), cidr: "10.1.0.0/24" };
    const request = { body, headers: { "idempotency-key": uniqueName("key") } };
    expect((await losing.call(createMesh, request)).problem.code).toBe("unavailable");
    isDown = false;
    expect((await app.call(createMesh, request)).problem.code).toBe("name_taken");
    const { items } = (await app.call(listMeshes, { query: { limit: "500" } })).reply;
    const meshId = items.find(({ name }) => name === body.name)?.id ?? "";
    expect((await enrolMachine(app, { meshIds: [meshId] })).meshes).toEqual([{ meshId, name: body.name }]);
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
          const broken: Partial<MeshObjectRpc> = { changeSettings: () => Promise.reject(new Error("reset")) };
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
