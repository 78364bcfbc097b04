import { expect, test } from "vitest";
import { updateMachine } from "#schema/api/machines";
import { createMesh, updateMesh } from "#schema/api/meshes";
import { createPolicySet } from "#schema/api/policy-sets";
import { createCountedDatabase } from "../testing/counted-database.ts";
import { createTestApp, uniqueName } from "../testing/create-test-app.ts";
import { enrolMachine } from "../testing/enrolled-machine.ts";
import { readPolicies } from "./policy-sets.ts";

const app = createTestApp();
const createSet = async (defaultLocalPreference: number) =>
  (await app.call(createPolicySet, { body: { name: uniqueName("set"), defaultLocalPreference } })).reply.id;

// Each join reads them.
test("a mesh reads the sets that it and machines use, and no others", async () => {
  const meshId = (await app.call(createMesh, { body: { name: uniqueName("mesh"), cidr: "10.1.0.0/24" } })).reply.id;
  for (let index = 0; index < 20; index++) {
    await createSet(index);
    await enrolMachine(app, { meshIds: [meshId] });
  }
  const { machineId } = await enrolMachine(app, { meshIds: [meshId] });
  const [exportPolicySetId, importPolicySetId] = [await createSet(201), await createSet(202)];
  await app.call(updateMesh, { params: { meshId }, body: { exportPolicySetId } });
  await app.call(updateMachine, { params: { machineId }, body: { importPolicySetId } });

  const { db, work } = createCountedDatabase();
  const read = await readPolicies(db, meshId);
  expect(read.mesh).toMatchObject({ import: null, export: { defaultLocalPreference: 201 } });
  expect([...read.machines.keys()]).toEqual([machineId]);
  expect(read.machines.get(machineId)).toMatchObject({ import: { defaultLocalPreference: 202 }, export: null });
  expect(work.rowsRead).toBeLessThan(20);
});
