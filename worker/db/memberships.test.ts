import { expect, test } from "vitest";
import { updateMachine } from "#schema/api/machines";
import { createMesh } from "#schema/api/meshes";
import { createCountedDatabase } from "../testing/counted-database.ts";
import { createTestApp, uniqueName } from "../testing/create-test-app.ts";
import { enrolMachine } from "../testing/enrolled-machine.ts";
import { eventually } from "../testing/eventually.ts";
import { listGatewayPlaces } from "./memberships.ts";

const app = createTestApp();

// Each change of a route reads them.
test("where gateways are is read without the machines that are none", async () => {
  const meshId = (await app.call(createMesh, { body: { name: uniqueName("mesh"), cidr: "10.1.0.0/24" } })).reply.id;
  for (let index = 0; index < 20; index++) await enrolMachine(app, { meshIds: [meshId] });
  const { machineId } = await enrolMachine(app, { meshIds: [meshId] });
  await app.call(updateMachine, { params: { machineId }, body: { gateway: true } });
  await eventually(async () => {
    const { db, work } = createCountedDatabase();
    const [places] = await db.batch([listGatewayPlaces(db)]);
    expect(places).toEqual([{ machineId, meshId }]);
    expect(work.rowsRead).toBeLessThan(8);
  });
});
