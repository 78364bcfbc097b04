import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { createLogger } from "../log.ts";
import {
  createHello,
  createMachineId,
  createMeshId,
  createMeshView,
  takeUntil,
  toObject,
} from "../testing/fake-agent.ts";
import { registerTestMachine } from "../testing/test-machine.ts";
import { createTestMesh } from "../testing/test-mesh.ts";
import { createNotifier } from "./create-mesh.ts";

test("a removed member is told, cut off, and dropped by its peers in one delta", async () => {
  const mesh = await createTestMesh();
  const peer = await mesh.connectNew();
  const removed = await mesh.connectNew();
  const view = createMeshView();
  view.take(peer.answer);
  await takeUntil(peer.socket, view, () => view.machineIds().length === 2);
  const before = peer.socket.received.length;

  expect(await mesh.remove(removed.machineId)).toEqual({ ok: true, value: true });
  expect(await removed.socket.next()).toEqual({ type: "mesh.left", meshId: mesh.settings.id, reason: "removed" });
  expect(await removed.socket.closed).toMatchObject({ code: 4403 });
  expect(await peer.socket.next()).toMatchObject({ type: "sync.changes", changed: [], removed: [removed.machineId] });
  expect(peer.socket.received.length).toBe(before + 1);
  expect(await mesh.remove(removed.machineId)).toEqual({ ok: true, value: false });
});

test("a removed member's waiting poll is told, and its next request is refused", async () => {
  const mesh = await createTestMesh();
  const { machineId } = await mesh.addNew();
  const poller = mesh.poller(machineId);
  const [snapshot] = await poller.post(createHello());
  const epoch = snapshot?.type === "sync.snapshot" ? snapshot.epoch : "";
  const waiting = poller.poll({ epoch, since: 3, wait: 25 });
  await mesh.remove(machineId);
  expect(await waiting).toMatchObject([{ type: "mesh.left", reason: "removed" }]);
  await expect(poller.poll({ wait: 0 })).rejects.toThrow("not_a_member");
  await expect(poller.post(createHello())).rejects.toThrow("not_a_member");
});

test("who is no member gets in on no transport, and leaves nothing behind", async () => {
  const mesh = await createTestMesh();
  const stranger = createMachineId();
  for (const request of [
    { method: "GET", isUpgrade: true },
    { method: "GET" },
    { method: "POST", body: "{}" },
  ] as const) {
    const response = await toObject(mesh.mesh, stranger)(request);
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ code: "not_a_member", requestId: "req_test" });
  }
  const nowhere = env.MESH.getByName("msh_nothing-here");
  expect((await toObject(nowhere, stranger)({ method: "GET" })).status).toBe(403);
  expect(await runInDurableObject(nowhere, (_, state) => readTables(state))).toEqual([]);
});

test("a member that comes back is shown again, with a new address", async () => {
  const mesh = await createTestMesh();
  const peer = await mesh.connectNew();
  const other = await mesh.connectNew();
  const view = createMeshView();
  view.take(peer.answer);
  await mesh.remove(other.machineId);
  await takeUntil(peer.socket, view, () => view.position()?.revision === 6);
  await mesh.add(other.machineId);
  await mesh.poller(other.machineId).post(createHello());
  await takeUntil(peer.socket, view, () => view.machineIds().length === 2);
  expect(view.row(other.machineId)?.address).toBe("10.1.0.3");
  const position = { epoch: view.position()?.epoch ?? "", revision: 3 };
  const [changes] = await mesh.poller(peer.machineId).post({ type: "sync.heartbeat", ...position });
  expect(changes).toMatchObject({ removed: [], changed: [{ machineId: other.machineId }] });
});

test("members of a deleted mesh are told, their Machine objects and D1 too, and nothing is kept", async () => {
  const mesh = await createTestMesh();
  const machine = await registerTestMachine();
  await machine.join(mesh.settings);
  const silent = await mesh.addNew();
  const socket = await mesh.socket(machine.machineId);
  socket.send(createHello());
  await socket.next();

  expect(await mesh.mesh.close()).toEqual({ memberCount: 2 });
  expect(await socket.next()).toMatchObject({ type: "mesh.left", reason: "mesh_deleted" });
  expect(await socket.closed).toMatchObject({ code: 4403 });
  await vi.waitFor(async () => expect(await machine.meshIds()).toEqual([]));
  const rows = env.DB.prepare("SELECT count(*) AS count FROM memberships WHERE mesh_id = ?").bind(mesh.settings.id);
  await vi.waitFor(async () => expect(await rows.first("count")).toBe(0));
  await vi.waitFor(async () =>
    expect(await runInDurableObject(mesh.stub, (_, state) => readTables(state))).toEqual([]),
  );
  expect((await toObject(mesh.mesh, silent.machineId)({ method: "GET" })).status).toBe(403);
  expect(await mesh.mesh.close()).toEqual({ memberCount: 0 });
  // A Machine object that has not heard of it yet.
  await mesh.mesh.renameMember(machine.machineId, "renamed");
});

test("one machine that can't be told of the mesh's end holds up no other", async () => {
  const told: string[] = [];
  const [lost, other] = [createMachineId(), createMachineId()];
  const forgetMesh = (machineId: string) => async () => {
    if (machineId === lost) throw new Error("overloaded");
    told.push(machineId);
  };
  const namespace = { getByName: (machineId: string) => ({ forgetMesh: forgetMesh(machineId) }) } as never;
  const notify = createNotifier({ MESH: namespace, MACHINE: namespace, RELAY: namespace }, createLogger("error"));
  const meshId = createMeshId();
  const notices = [lost, other].map((machineId) => ({ machineId, meshId }));
  expect(await notify(notices)).toEqual([{ machineId: lost, meshId }]);
  expect(told).toEqual([other]);
});

const readTables = (state: DurableObjectState) =>
  state.storage.sql
    .exec<{ name: string }>(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
    )
    .toArray()
    .map(({ name }) => name);
