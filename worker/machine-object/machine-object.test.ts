import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";
import { IdentityPublicKey } from "#schema/ids";
import { DEFAULT_STUN_SERVERS } from "#schema/stun-servers";
import type { FromMachineMessage } from "#schema/wire/messages";
import { createObjects } from "../objects.ts";
import { createMachineId, createMeshId, toObject } from "../testing/fake-agent.ts";
import { createMachineHello, registerTestMachine, TEST_AGENT } from "../testing/test-machine.ts";
import { createTestMesh, TEST_CAUSE } from "../testing/test-mesh.ts";

describe("meshes of a machine", () => {
  test("joining gives the member's address and rings the doorbell", async () => {
    const { settings } = await createTestMesh();
    const machine = await registerTestMachine();
    const socket = await machine.socket();
    socket.send(createMachineHello());
    const told = { stunServers: DEFAULT_STUN_SERVERS, keyReplacement: null, upgrade: null, dueIdentityKey: null };
    expect(await socket.next()).toEqual({ type: "machine.state", revision: 1, name: "box", meshes: [], ...told });
    expect(await machine.join(settings)).toMatchObject({ ok: true, value: { address: "10.1.0.1", isNew: true } });
    const meshes = [{ meshId: settings.id, name: "office" }];
    expect(await socket.next()).toEqual({ type: "machine.state", revision: 2, name: "box", meshes, ...told });
    expect(await machine.join(settings)).toMatchObject({ ok: true, value: { address: "10.1.0.1", isNew: false } });
  });

  test("leaving takes it out and rings the doorbell, once", async () => {
    const mesh = await createTestMesh();
    const machine = await registerTestMachine();
    await machine.join(mesh.settings);
    expect(await machine.leave(mesh.settings.id)).toEqual({ ok: true, value: true });
    expect(await machine.leave(mesh.settings.id)).toEqual({ ok: true, value: false });
    expect(await machine.meshIds()).toEqual([]);
    expect(await mesh.mesh.getMember(machine.machineId)).toMatchObject({ error: { code: "member_not_found" } });
  });

  test("a mesh that overlaps one it is in is refused, however many ask at once", async () => {
    const meshes = await Promise.all(
      ["10.2.0.0/16", "10.2.128.0/24", "10.0.0.0/8"].map((cidr) => createTestMesh({ cidr })),
    );
    const machine = await registerTestMachine();
    const results = await Promise.all(meshes.map(({ settings }) => machine.join(settings)));
    expect(results.filter(({ ok }) => ok)).toHaveLength(1);
    for (const result of results) if (!result.ok) expect(result.error.code).toBe("cidr_overlap");
    expect(await machine.meshIds()).toHaveLength(1);
  });

  test("what the mesh refuses leaves nothing behind", async () => {
    const mesh = await createTestMesh();
    const machine = await registerTestMachine();
    const nowhere = { id: createMeshId(), cidr: mesh.settings.cidr };
    expect(await machine.join(nowhere)).toEqual({ ok: false, error: { code: "mesh_not_found" } });
    expect(await machine.join(mesh.settings)).toMatchObject({ ok: true });
  });

  test("joining and leaving at once end in one of the two, the same on both sides", async () => {
    const mesh = await createTestMesh();
    const machine = await registerTestMachine();
    await Promise.all([machine.join(mesh.settings), machine.leave(mesh.settings.id), machine.join(mesh.settings)]);
    const isMember = (await mesh.mesh.getMember(machine.machineId)).ok;
    expect(await machine.meshIds()).toEqual(isMember ? [mesh.settings.id] : []);
  });

  test("its new name reaches it and its meshes", async () => {
    const mesh = await createTestMesh();
    const machine = await registerTestMachine();
    await machine.join(mesh.settings);
    await machine.machine.update({ name: "new-box" });
    expect(await mesh.mesh.getMember(machine.machineId)).toMatchObject({ value: { name: "new-box" } });
    expect(await machine.poller.poll({})).toMatchObject([{ name: "new-box" }]);
  });
});

test("what is asked of its keys is written down with it, whatever happens then", async () => {
  const machine = await registerTestMachine();
  const order = { madeBeforeMs: Date.now(), isForced: false };
  const entries = await runInDurableObject(machine.stub, async (instance, { storage: { sql } }) => {
    const asked = [await instance.replaceKeys(order, TEST_CAUSE), await instance.replaceKeys(order, TEST_CAUSE)];
    expect(asked).toEqual([order, order].map((value) => ({ ok: true, value })));
    return sql.exec<{ entries: string }>("SELECT entries FROM outbox").toArray();
  });
  expect(entries.map((row) => JSON.parse(row.entries))).toMatchObject([
    [{ type: "audit_event", event: { action: "key_replacement.requested", subjectId: machine.machineId } }],
  ]);
});

describe("an interrupted change is finished by alarm", () => {
  test("a join whose answer was lost", async () => {
    const mesh = await createTestMesh();
    const machine = await registerTestMachine();
    await machine.join(mesh.settings);
    await interrupt(machine, "UPDATE meshes SET state = 'joining', mesh_name = NULL");
    expect(await machine.meshIds()).toEqual([]);
    await runDurableObjectAlarm(machine.stub);
    expect(await machine.meshIds()).toEqual([mesh.settings.id]);
  });

  test("a join that is asked for again is answered as the first", async () => {
    const mesh = await createTestMesh();
    const machine = await registerTestMachine();
    await machine.join(mesh.settings);
    await interrupt(machine, "UPDATE meshes SET state = 'joining', mesh_name = NULL");
    expect(await machine.join(mesh.settings)).toMatchObject({ value: { address: "10.1.0.1", isNew: true } });
    expect(await machine.join(mesh.settings)).toMatchObject({ value: { isNew: false } });
  });

  test("a leaving that the mesh never heard of", async () => {
    const mesh = await createTestMesh();
    const machine = await registerTestMachine();
    await machine.join(mesh.settings);
    await interrupt(machine, "UPDATE meshes SET state = 'leaving'");
    await runDurableObjectAlarm(machine.stub);
    expect(await mesh.mesh.getMember(machine.machineId)).toMatchObject({ error: { code: "member_not_found" } });
    expect(await machine.join(mesh.settings)).toMatchObject({ ok: true, value: { isNew: true } });
  });

  test("a name that a mesh was not told", async () => {
    const mesh = await createTestMesh();
    const machine = await registerTestMachine();
    await machine.join(mesh.settings);
    await interrupt(machine, "UPDATE machine SET name = 'new-box'");
    await runDurableObjectAlarm(machine.stub);
    expect(await mesh.mesh.getMember(machine.machineId)).toMatchObject({ value: { name: "new-box" } });
  });

  /** The state that an object leaves which dies between two steps: the intention is stored, its alarm is set. */
  async function interrupt(
    { stub }: Awaited<ReturnType<typeof registerTestMachine>>,
    statement: string,
  ): Promise<void> {
    await runInDurableObject(stub, (_, { storage }) => void storage.sql.exec(statement));
    await evictDurableObject(stub);
  }
});

describe("a removed machine", () => {
  test("is told, leaves every mesh, and is known no more", async () => {
    const first = await createTestMesh({ cidr: "10.3.0.0/16" });
    const second = await createTestMesh({ cidr: "10.4.0.0/16" });
    const machine = await registerTestMachine();
    await machine.join(first.settings);
    await machine.join(second.settings);
    const doorbell = await machine.socket();
    const member = await first.socket(machine.machineId);
    expect(await machine.machine.readIdentityKey()).toBe(machine.registration.identityKey);

    await machine.remove();
    expect(await doorbell.next()).toEqual({ type: "machine.removed" });
    expect(await doorbell.closed).toMatchObject({ code: 4403 });
    expect(await member.closed).toMatchObject({ code: 4403 });
    for (const { mesh } of [first, second]) expect((await mesh.getMember(machine.machineId)).ok).toBe(false);
    expect(await machine.machine.readIdentityKey()).toBeNull();
    const refusal = { ok: false, error: { code: "machine_removed" } };
    expect(await machine.machine.register(machine.registration)).toEqual(refusal);
    expect(await machine.join(first.settings)).toEqual(refusal);
    const response = await toObject(machine.machine, machine.machineId)({ method: "GET" });
    expect(await response.json()).toMatchObject({ status: 403, code: "machine_removed" });
    await machine.remove();
  });

  test("is refused too when its enrolment comes behind its removal", async () => {
    const mesh = await createTestMesh();
    const machineId = createMachineId();
    const object = createObjects(env).machine(machineId);
    const identityKey = IdentityPublicKey.parse(`${"A".repeat(42)}A`);
    const registration = { machineId, name: "box", identityKey, agent: TEST_AGENT };
    await object.remove(registration, TEST_CAUSE);
    await object.remove(registration, TEST_CAUSE);
    const refusal = { ok: false, error: { code: "machine_removed" } };
    expect(await object.register(registration)).toEqual(refusal);
    const { id: meshId, cidr } = mesh.settings;
    expect(await object.joinMesh({ meshId, cidr, address: null, cause: TEST_CAUSE })).toEqual(refusal);
    expect(await object.readIdentityKey()).toBeNull();
    expect((await mesh.mesh.getMember(machineId)).ok).toBe(false);
  });

  test("while it joins ends up in no mesh", async () => {
    const mesh = await createTestMesh();
    const machine = await registerTestMachine();
    await Promise.all([machine.join(mesh.settings), machine.remove()]);
    expect((await mesh.mesh.getMember(machine.machineId)).ok).toBe(false);
  });
});

describe("the doorbell", () => {
  test("says the same over long-poll, held until something changes", async () => {
    const { settings } = await createTestMesh();
    const machine = await registerTestMachine();
    expect(await machine.poller.post(createMachineHello())).toMatchObject([{ revision: 1, meshes: [] }]);
    const waiting = machine.poller.poll({ since: 1, wait: 25 });
    await machine.join(settings);
    expect(await waiting).toMatchObject([{ revision: 2, meshes: [{ meshId: settings.id }] }]);
    expect(await machine.poller.poll({ since: 1, wait: 25 })).toMatchObject([{ revision: 2 }]);
    expect(await machine.poller.poll({ since: 2, wait: 0 })).toEqual([]);
    expect(await machine.poller.post({ type: "machine.heartbeat", revision: 2 })).toMatchObject([{ revision: 2 }]);
  });

  test("outlives eviction", async () => {
    const { settings } = await createTestMesh();
    const machine = await registerTestMachine();
    const socket = await machine.socket();
    socket.send(createMachineHello());
    await socket.next();
    await evictDurableObject(machine.stub);
    await machine.join(settings);
    expect(await socket.next()).toMatchObject({ meshes: [{ meshId: settings.id }] });
  });

  test("keeps what the agent tells of itself, and tells D1 when that changed", async () => {
    const machine = await registerTestMachine();
    await env.DB.prepare("INSERT INTO machines (id, name, identity_key, created_at) VALUES (?, ?, ?, 0)")
      .bind(machine.machineId, machine.machineId, machine.machineId)
      .run();
    const agentInD1 = async () =>
      env.DB.prepare("SELECT agent FROM machines WHERE id = ?").bind(machine.machineId).first<string>("agent");
    await machine.poller.post(createMachineHello());
    const newer = { ...TEST_AGENT, agentVersion: "0.2.0" };
    await machine.poller.post(createMachineHello(newer));
    await vi.waitFor(async () => expect(JSON.parse((await agentInD1()) ?? "null")).toEqual(newer));
  });

  test("knows when the machine was last seen", async () => {
    const machine = await registerTestMachine();
    expect(await machine.machine.readLastSeen()).toBeNull();
    const before = Date.now();
    const socket = await machine.socket();
    expect(await machine.machine.readLastSeen()).toBeGreaterThanOrEqual(before);
    socket.close();
    await socket.closed;
    await evictDurableObject(machine.stub);
    expect(await machine.machine.readLastSeen()).toBeGreaterThanOrEqual(before);
  });

  test("refuses who is not registered, and stores nothing of it", async () => {
    const machineId = createMachineId();
    const object = env.MACHINE.getByName(machineId);
    const response = await toObject(object, machineId)({ method: "GET" });
    expect(await response.json()).toMatchObject({ status: 404, code: "machine_not_found" });
  });

  test.each<[string, unknown, number, string]>([
    ["no JSON", "{", 4400, "malformed_json"],
    ["a fault in a field", createMachineHello({ ...TEST_AGENT, wireguard: "tape" as never }), 4400, "agent.wireguard"],
    ["another wire version", { ...createMachineHello(), wireVersion: 99 }, 4426, "wire version 99"],
  ])("closes on %s and says so", async (_, message, code, reason) => {
    const socket = await (await registerTestMachine()).socket();
    socket.sendText(typeof message === "string" ? message : JSON.stringify(message));
    const closed = await socket.closed;
    expect(closed.code).toBe(code);
    expect(closed.reason).toContain(reason);
  });

  test("ignores messages of unknown type", async () => {
    const socket = await (await registerTestMachine()).socket();
    socket.send({ type: "machine.dance" });
    socket.send(createMachineHello());
    expect((await socket.next()) satisfies FromMachineMessage).toMatchObject({ type: "machine.state" });
  });

  test("closes on too many messages", async () => {
    const socket = await (await registerTestMachine()).socket();
    for (let index = 0; index < 60; index++) socket.send({ type: "machine.heartbeat", revision: 1 });
    expect(await socket.closed).toMatchObject({ code: 4429 });
  });
});
