// Reading meshes costs the same however many members they have: rows read, counted by D1.
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { listMembers } from "#schema/api/members";
import { createMesh, getMesh, listMeshes } from "#schema/api/meshes";
import { createProjector } from "../outbox/project.ts";
import { createCountingD1 } from "../testing/count-rows.ts";
import { createTestApp } from "../testing/create-test-app.ts";
import { createMachineId } from "../testing/fake-agent.ts";
import { createDatabase } from "./database.ts";

test("a mesh of 1,000 members is read, listed and asked for members as cheaply as an empty one", async () => {
  const { database, measure } = createCountingD1();
  const app = createTestApp({ db: createDatabase(database) });
  const { id: meshId } = (await app.call(createMesh, { body: { name: "large", cidr: "10.1.0.0/16" } })).reply;
  const params = { meshId };
  const measureReads = async () => ({
    get: await measure(() => app.call(getMesh, { params })),
    list: await measure(() => app.call(listMeshes, {})),
    members: await measure(() => app.call(listMembers, { params })),
  });
  const empty = await measureReads();
  expect(Math.max(...Object.values(empty))).toBeLessThanOrEqual(2);

  const row = { meshId, address: "10.1.0.1", address6: "fd00::1", joinedAt: 0 };
  await createProjector(env.DB)(
    Array.from({ length: 1_000 }, (_, index) => ({
      type: "membership" as const,
      row: { ...row, machineId: createMachineId(), revision: index + 2 },
      memberCount: index + 1,
    })),
  );
  expect((await app.call(getMesh, { params })).reply.memberCount).toBe(1_000);
  expect(await measureReads()).toEqual(empty);
});
