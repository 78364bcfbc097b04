import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test, vi } from "vitest";
import type { TelemetryWatch } from "#schema/wire/messages";
import { createMachineId, createMeshId } from "../../testing/fake-agent.ts";
import { connectMember, TRANSPORTS } from "../../testing/test-member.ts";
import { createTestMesh } from "../../testing/test-mesh.ts";
import { createReport } from "../../testing/test-telemetry.ts";
import { createTelemetry, type KeptReport } from "./telemetry.ts";

const WATCH = { type: "telemetry.watch", seconds: 30 };

describe.each(TRANSPORTS)("over %s", (transport) => {
  test("a read asks the member and answers its first steady report", async () => {
    const mesh = await createTestMesh();
    const peer = await mesh.addNew("a-peer");
    const member = await connectMember(mesh, transport);
    const reading = mesh.mesh.readTelemetry(member.machineId, { waitMs: 4_000 });
    expect(await member.next("telemetry.watch")).toEqual(WATCH);
    const unsteady = createReport(mesh.settings.id, [], { isSteady: false });
    await member.send(unsteady, createReport(mesh.settings.id, [peer.machineId]));
    // The name is the mesh's, not what the machine calls it.
    const peers = [{ machineId: peer.machineId, name: "a-peer", latencyMs: 8.5 }];
    expect(await reading).toMatchObject({ ok: true, value: { peers, nat: { udp: { ipv4: true } } } });
  });

  test("a member that answers nothing is silent, one that is not connected offline, a stranger no member", async () => {
    const mesh = await createTestMesh();
    const read = (machineId: Parameters<typeof mesh.mesh.readTelemetry>[0]) =>
      mesh.mesh.readTelemetry(machineId, { waitMs: 20 });
    const member = await connectMember(mesh, transport);
    expect(await read(member.machineId)).toEqual({ ok: false, error: { code: "silent" } });
    expect(await read((await mesh.addNew()).machineId)).toEqual({ ok: false, error: { code: "offline" } });
    expect(await read(createMachineId())).toEqual({ ok: false, error: { code: "member_not_found" } });
    await mesh.mesh.close();
    expect(await read(member.machineId)).toEqual({ ok: false, error: { code: "mesh_not_found" } });
  });

  test("what it tells of other meshes and of machines that are no members is left out", async () => {
    const mesh = await createTestMesh();
    const peer = await mesh.addNew();
    const member = await connectMember(mesh, transport);
    const reading = mesh.mesh.readTelemetry(member.machineId, { waitMs: 4_000 });
    await member.next("telemetry.watch");
    const foreign = createReport(createMeshId(), [peer.machineId]);
    const own = createReport(mesh.settings.id, [createMachineId(), peer.machineId]);
    const report = { ...own, peers: [...foreign.peers, ...own.peers] };
    await member.send({ ...report, endpoints: [...foreign.endpoints, ...own.endpoints] });
    const read = await reading;
    expect(read.ok && read.value.peers.map(({ machineId }) => machineId)).toEqual([peer.machineId]);
    expect(read.ok && read.value.endpoints).toEqual(own.endpoints);
  });
});

test("a member that leaves while it is read is offline", async () => {
  const mesh = await createTestMesh();
  const member = await connectMember(mesh, "socket");
  const reading = mesh.mesh.readTelemetry(member.machineId, { waitMs: 300 });
  await member.next("telemetry.watch");
  await mesh.remove(member.machineId);
  expect(await reading).toEqual({ ok: false, error: { code: "offline" } });
});

test("a member that comes back is asked again at once", async () => {
  const mesh = await createTestMesh();
  const member = await connectMember(mesh, "socket");
  void mesh.mesh.readTelemetry(member.machineId, { waitMs: 20 });
  await member.next("telemetry.watch");
  const { machineId } = member;
  const again = await connectMember(mesh, "socket", { machineId });
  void mesh.mesh.readTelemetry(machineId, { waitMs: 20 });
  expect(await again.next("telemetry.watch")).toEqual(WATCH);
});

test("a report that nobody asked for is kept nowhere", async () => {
  const mesh = await createTestMesh();
  const peer = await mesh.addNew();
  const member = await connectMember(mesh, "socket");
  await member.send(createReport(mesh.settings.id, [peer.machineId]));
  await member.drain();
  const read = await mesh.mesh.readTelemetry(member.machineId, { waitMs: 20 });
  expect(read).toEqual({ ok: false, error: { code: "silent" } });
  const tables = await runInDurableObject(mesh.stub, (_, { storage: { sql } }) =>
    sql.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE name LIKE '%telemetry%'").toArray(),
  );
  expect(tables).toEqual([]);
});

describe("while it is read again and again", () => {
  const [machine, mesh] = [createMachineId(), createMeshId()];

  function createWatched({ isConnected = true } = {}) {
    const told: TelemetryWatch[] = [];
    const delivered: KeptReport[] = [];
    const at = { nowMs: 0, isConnected, isFollowed: false };
    const telemetry = createTelemetry({
      now: () => at.nowMs,
      isOnline: () => at.isConnected,
      tell: (_, message) => void told.push(message),
      followers: { has: () => at.isFollowed, deliver: (_, report) => void delivered.push(report) },
    });
    return { telemetry, told, delivered, at };
  }

  test("a report of the last two seconds is answered at once, and the member asked every ten", async () => {
    const { telemetry, told, at } = createWatched();
    const first = telemetry.read(machine, 1_000);
    telemetry.heard(machine, createReport(mesh, []));
    expect(await first).toMatchObject({ ok: true, value: { receivedAt: 0 } });
    for (at.nowMs = 1_000; at.nowMs <= 35_000; at.nowMs += 1_000) {
      telemetry.heard(machine, createReport(mesh, []));
      expect(await telemetry.read(machine, 1_000)).toMatchObject({ value: { receivedAt: at.nowMs } });
    }
    expect(told).toHaveLength(4);
  });

  test("after the wait the newest is answered, steady or not", async () => {
    const { telemetry } = createWatched();
    const reading = telemetry.read(machine, 30);
    telemetry.heard(machine, createReport(mesh, [], { isSteady: false }));
    expect(await reading).toMatchObject({ ok: true, value: { isSteady: false } });
  });

  test("several readers get one answer", async () => {
    const { telemetry, told } = createWatched();
    const readings = [telemetry.read(machine, 1_000), telemetry.read(machine, 1_000)];
    telemetry.heard(machine, createReport(mesh, []));
    expect(await Promise.all(readings)).toMatchObject([{ ok: true }, { ok: true }]);
    expect(told).toHaveLength(1);
  });

  test("a report is forgotten after a minute without readers", async () => {
    const { telemetry, at } = createWatched();
    const reading = telemetry.read(machine, 1_000);
    telemetry.heard(machine, createReport(mesh, []));
    await reading;
    Object.assign(at, { nowMs: 61_000, isConnected: false });
    expect(await telemetry.read(machine, 0)).toEqual({ ok: false, error: "offline" });
    telemetry.heard(machine, createReport(mesh, []));
    Object.assign(at, { isConnected: true });
    expect(await telemetry.read(machine, 0)).toEqual({ ok: false, error: "silent" });
  });

  test("a report in parts is one report, once its last part is there", async () => {
    const { telemetry } = createWatched();
    const peers = Array.from({ length: 6 }, createMachineId);
    const reading = telemetry.read(machine, 1_000);
    const isDone = vi.fn();
    void reading.then(isDone);
    telemetry.heard(machine, createReport(mesh, peers.slice(0, 4), { hasMore: true }));
    await Promise.resolve();
    expect(isDone).not.toHaveBeenCalled();
    telemetry.heard(machine, createReport(mesh, peers.slice(4), { endpoints: [], nat: null }));
    const read = await reading;
    expect(read.ok && read.value.peers.map(({ machineId }) => machineId)).toEqual(peers);
    expect(read.ok && [read.value.endpoints.length, read.value.nat?.mapping]).toEqual([1, "endpoint-independent"]);
  });

  test("parts without an end are bounded", async () => {
    const { telemetry } = createWatched();
    const reading = telemetry.read(machine, 1_000);
    for (let count = 0; count < 100; count++) {
      telemetry.heard(machine, createReport(mesh, [createMachineId()], { hasMore: true }));
    }
    const read = await reading;
    expect(read.ok && read.value.peers).toHaveLength(64);
  });

  test("a machine that is watched is asked every ten seconds as long as it tells, and no longer than somebody watches", () => {
    const { telemetry, told, delivered, at } = createWatched();
    at.isFollowed = true;
    telemetry.follow(machine);
    telemetry.heard(machine, createReport(mesh, [], { isSteady: false }));
    for (at.nowMs = 1_000; at.nowMs <= 35_000; at.nowMs += 1_000) telemetry.heard(machine, createReport(mesh, []));
    expect([told.length, delivered.length]).toEqual([4, 35]);
    at.isFollowed = false;
    for (at.nowMs = 36_000; at.nowMs <= 65_000; at.nowMs += 1_000) telemetry.heard(machine, createReport(mesh, []));
    expect([told.length, delivered.length]).toEqual([4, 35]);
  });

  test("a machine that is not connected is not asked by who watches it", () => {
    const { telemetry, told } = createWatched({ isConnected: false });
    telemetry.follow(machine);
    expect(told).toEqual([]);
  });
});
