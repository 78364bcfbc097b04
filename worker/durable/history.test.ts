// The objects' own migrations. The snapshot is their history: it may grow at the end, and an edit of what is there breaks every object
// that has applied it.
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { MACHINE_MIGRATIONS } from "../machine-object/migrations.ts";
import { MeshObject } from "../mesh-object/mesh-object.ts";
import { MESH_MIGRATIONS } from "../mesh-object/migrations.ts";
import { createTestMesh } from "../testing/test-mesh.ts";

test("the history of a mesh is append-only", () => {
  expect(MESH_MIGRATIONS).toMatchSnapshot();
});

test("the history of a machine is append-only", () => {
  expect(MACHINE_MIGRATIONS).toMatchSnapshot();
});

test("an object whose history was edited refuses to start, and says so", async () => {
  const { stub } = await createTestMesh();
  await runInDurableObject(stub, (_, state) => {
    state.storage.sql.exec("UPDATE migrations SET text = 'CREATE TABLE members (other TEXT)' WHERE number = 2");
    expect(() => new MeshObject(state, env)).toThrow(
      "migration 2 (create members) was applied and is no longer the same",
    );
  });
});
