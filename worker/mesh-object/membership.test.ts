import { env } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";
import { createMachineId } from "../testing/fake-agent.ts";
import { createTestMesh, TEST_CAUSE } from "../testing/test-mesh.ts";

describe("adding members", () => {
  test("gives the lowest free address, IPv4 and IPv6", async () => {
    const { addNew } = await createTestMesh();
    expect(await addNew()).toMatchObject({ address: "10.1.0.1", address6: "fd00:1:2:3::1", isNew: true });
    expect(await addNew()).toMatchObject({ address: "10.1.0.2", address6: "fd00:1:2:3::2" });
  });

  test("gives what the member has when it is added again", async () => {
    const { add } = await createTestMesh();
    const machineId = createMachineId();
    await add(machineId);
    const again = await add(machineId, { address: "10.1.0.9" });
    expect(again).toMatchObject({ ok: true, value: { address: "10.1.0.1", isNew: false } });
  });

  test("gives the requested address and says why it can't", async () => {
    const { add } = await createTestMesh({ cidr: "192.168.0.0/24" });
    expect(await add(createMachineId(), { address: "192.168.0.77" })).toMatchObject({
      value: { address: "192.168.0.77" },
    });
    const code = async (address: string) => {
      const result = await add(createMachineId(), { address });
      return result.ok ? null : result.error.code;
    };
    expect(await code("192.168.0.77")).toBe("address_taken");
    expect(await code("192.168.1.1")).toBe("address_outside_mesh");
    expect(await code("192.168.0.0")).toBe("address_outside_mesh");
    expect(await code("192.168.0.255")).toBe("address_outside_mesh");
  });

  test("says that the pool is dry, and gives a quarantined address when that is all there is", async () => {
    const { add, addNew, remove } = await createTestMesh({ cidr: "10.9.0.0/30" });
    const { machineId } = await addNew();
    await addNew();
    expect(await add(createMachineId())).toEqual({ ok: false, error: { code: "address_pool_exhausted" } });
    await remove(machineId);
    expect(await addNew()).toMatchObject({ address: "10.9.0.1" });
  });

  test("gives 200 members at once 200 addresses", async () => {
    const { addNew } = await createTestMesh();
    const added = await Promise.all(Array.from({ length: 200 }, () => addNew()));
    expect(new Set(added.map(({ address }) => address)).size).toBe(200);
    expect(new Set(added.map(({ address6 }) => address6)).size).toBe(200);
  });

  test("keeps a released address back", async () => {
    const { addNew, remove } = await createTestMesh();
    await remove((await addNew()).machineId);
    expect(await addNew()).toMatchObject({ address: "10.1.0.2" });
  });

  test("answers that there is no mesh where there is none", async () => {
    const { mesh } = await createTestMesh();
    await mesh.close();
    const result = await mesh.addMember({
      machineId: createMachineId(),
      name: "box",
      address: null,
      isGateway: false,
      cause: TEST_CAUSE,
    });
    expect(result).toEqual({ ok: false, error: { code: "mesh_not_found" } });
    expect(await mesh.listMembers({ after: null, limit: 10 })).toEqual({
      ok: false,
      error: { code: "mesh_not_found" },
    });
    expect(await mesh.changeSettings({ name: "new" })).toEqual({ ok: false, error: { code: "mesh_not_found" } });
  });
});

describe("lists and looks", () => {
  test("lists members by machine id, in pages", async () => {
    const { addNew, mesh } = await createTestMesh();
    const ids: string[] = [];
    for (let index = 0; index < 5; index++) ids.push((await addNew(`box-${index}`)).machineId);
    ids.sort();
    const first = await mesh.listMembers({ after: null, limit: 3 });
    expect(first.ok && first.value.map(({ machineId }) => machineId)).toEqual(ids.slice(0, 3));
    const after = first.ok ? (first.value[2]?.machineId ?? null) : null;
    const second = await mesh.listMembers({ after, limit: 3 });
    expect(second.ok && second.value.map(({ machineId }) => machineId)).toEqual(ids.slice(3));
  });

  test("shows a member that was never heard from as offline, without a key", async () => {
    const { addNew, mesh } = await createTestMesh();
    const { machineId } = await addNew("box");
    expect(await mesh.getMember(machineId)).toMatchObject({
      value: {
        name: "box",
        publicKey: null,
        online: false,
        lastSeenAt: null,
        appliedRevision: null,
        nat: null,
        failures: [],
      },
    });
    expect(await mesh.getMember(createMachineId())).toEqual({ ok: false, error: { code: "member_not_found" } });
    expect(await mesh.readPresence([machineId, createMachineId()])).toEqual({});
  });

  test("shows nobody as behind for a member that came or went and never said hello", async () => {
    const { connectNew, addNew, remove, mesh } = await createTestMesh();
    const { machineId, socket } = await connectNew();
    const { meshRevision: revision, ...member } = await read();
    expect(member.publicKey).not.toBeNull();
    const { machineId: silent } = await addNew("silent");
    expect(await read()).toMatchObject({ meshRevision: revision });
    await remove(silent);
    expect(await read()).toMatchObject({ meshRevision: revision });
    await mesh.renameMember(machineId, "renamed");
    expect(await socket.next()).toMatchObject({ type: "sync.changes", revision: revision + 3 });
    expect(await read()).toMatchObject({ meshRevision: revision + 3 });

    async function read() {
      const result = await mesh.getMember(machineId);
      if (!result.ok) throw new Error(result.error.code);
      return result.value;
    }
  });

  test("tells when members were seen: those that are connected, and those that were, and no others", async () => {
    const { connectNew, remove, addNew, mesh } = await createTestMesh();
    const [there, gone, removed] = [await connectNew(), await connectNew(), await connectNew()];
    const never = await addNew();
    const startedMs = Date.now() - 60_000;
    gone.socket.close();
    await remove(removed.machineId);
    const all = [there, gone, removed, never].map(({ machineId }) => machineId);
    await vi.waitFor(async () => {
      const presence = await mesh.readPresence(all);
      expect(Object.keys(presence).sort()).toEqual([there.machineId, gone.machineId].sort());
      for (const seenAt of Object.values(presence)) expect(seenAt).toBeGreaterThan(startedMs);
      expect((await mesh.readMetrics())?.online).toEqual([there.machineId]);
    });
  });
});

describe("D1", () => {
  test("hears of members that come and go, and of who did it", async () => {
    const { addNew, remove, settings } = await createTestMesh();
    const { machineId } = await addNew("box");
    await vi.waitFor(async () => expect(await membershipsOf(settings.id)).toEqual([[machineId, "10.1.0.1"]]));
    await remove(machineId);
    await vi.waitFor(async () => expect(await membershipsOf(settings.id)).toEqual([]));
    expect(await auditOf(settings.id)).toEqual([
      ["member.added", machineId, "owner_token", "req_test"],
      ["member.removed", machineId, "owner_token", "req_test"],
    ]);
  });
});

const membershipsOf = async (meshId: string) =>
  env.DB.prepare("SELECT machine_id, address FROM memberships WHERE mesh_id = ? ORDER BY machine_id")
    .bind(meshId)
    .raw();

const auditOf = async (meshId: string) =>
  env.DB.prepare(
    "SELECT action, subject_id, actor_kind, request_id FROM audit_events WHERE mesh_id = ? ORDER BY at, action",
  )
    .bind(meshId)
    .raw();
