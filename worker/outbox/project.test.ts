import { env } from "cloudflare:workers";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createMachineId, createMeshId } from "../testing/fake-agent.ts";
import type { Projection } from "./entries.ts";
import { createProjector } from "./project.ts";

const project = createProjector(env.DB);

test("members that come and go end in D1 as in the mesh, however they are cut into deliveries and repeated", async () => {
  const history = fc.array(fc.record({ machine: fc.nat(2), isAdded: fc.boolean() }), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(history, fc.array(fc.nat(12), { maxLength: 4 }), async (changes, cuts) => {
      const meshId = createMeshId();
      const machineIds = [createMachineId(), createMachineId(), createMachineId()];
      await insertMesh(meshId);
      const expected = new Map<string, string>();
      const projections = changes.map(({ machine, isAdded }, index): Projection => {
        const machineId = machineIds[machine] ?? createMachineId();
        const revision = index + 1;
        if (!isAdded) {
          expected.delete(machineId);
          return { type: "membership_removed", meshId, machineId, revision, memberCount: expected.size };
        }
        const address = `10.1.0.${revision}`;
        expected.set(machineId, address);
        const row = { meshId, machineId, address, address6: "fd00::1", revision, joinedAt: 7 };
        return { type: "membership", row, memberCount: expected.size };
      });
      // A delivery whose confirmation was lost comes again, together with what came behind it.
      for (const cut of cuts.sort((a, b) => a - b)) await project(projections.slice(0, cut));
      await project(projections);
      expect(await membersOf(meshId)).toEqual([...expected].sort());
      // An older delivery that arrives late changes nothing.
      await project(projections.slice(0, 1));
      const count = await env.DB.prepare("SELECT member_count FROM meshes WHERE id = ?").bind(meshId).first();
      expect(count).toEqual({ member_count: expected.size });
    }),
    { numRuns: 60 },
  );
});

test("an audit event that is delivered twice is there once, as it was", async () => {
  const meshId = createMeshId();
  const event = {
    ...{
      id: `aud_${meshId.slice(4)}`,
      at: 1_800_000_000_000,
      action: "member.added" as const,
      subjectId: "mch_x",
      meshId,
    },
    actor: { kind: "owner_token" as const, id: null, name: 'o"wner' },
    details: { machineName: "bøx", nested: { list: [1, null] } },
    requestId: "req_1",
  };
  await project([{ type: "audit_event", event }]);
  await project([
    { type: "audit_event", event },
    { type: "audit_event", event: { ...event, id: `${event.id}2`, meshId: null } },
  ]);
  const { results } = await env.DB.prepare("SELECT * FROM audit_events WHERE id LIKE ? ORDER BY id")
    .bind(`${event.id}%`)
    .all();
  expect(results).toHaveLength(2);
  expect(results[0]).toEqual({
    ...{ id: event.id, at: event.at, actor_kind: "owner_token", actor_id: null, actor_name: 'o"wner' },
    ...{ action: "member.added", subject_id: "mch_x", mesh_id: meshId, request_id: "req_1" },
    details: JSON.stringify(event.details),
  });
  expect(results[1]).toMatchObject({ mesh_id: null });
});

test("of counts of one mesh the newest is written, in whatever order they come", async () => {
  const meshId = createMeshId();
  await insertMesh(meshId);
  const counts = [2, 3, 1].map((revision) => ({
    type: "vip_count" as const,
    meshId,
    vipCount: revision * 10,
    revision,
  }));
  await project(counts);
  const stored = await env.DB.prepare("SELECT vip_count, vip_count_revision FROM meshes WHERE id = ?")
    .bind(meshId)
    .first();
  expect(stored).toEqual({ vip_count: 30, vip_count_revision: 3 });
});

const insertMesh = (meshId: string) =>
  env.DB.prepare(
    "INSERT INTO meshes (id, name, cidr, cidr6, asn, created_at) SELECT ?, ?, '', '', 1 + coalesce(max(asn), 0), 0 FROM meshes",
  )
    .bind(meshId, meshId)
    .run();

const membersOf = async (meshId: string) =>
  env.DB.prepare("SELECT machine_id, address FROM memberships WHERE mesh_id = ? ORDER BY machine_id")
    .bind(meshId)
    .raw();
