// What the API tells of a VIP's machines: what they said of their checks, as long as they are there.
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, it, test } from "vitest";
import { Ipv4 } from "#schema/address";
import { HealthCheck } from "#schema/health-check";
import { ID_PREFIXES, type MachineId, renderUlid, VipId } from "#schema/ids";
import { eventually } from "../../testing/eventually.ts";
import { createHello } from "../../testing/fake-agent.ts";
import { connectMember, TRANSPORTS } from "../../testing/test-member.ts";
import { createTestMesh, TEST_CAUSE, type TestMesh } from "../../testing/test-mesh.ts";
import { watchMesh } from "../../testing/test-watcher.ts";
import { createMesh } from "../create-mesh.ts";

const CHECK = HealthCheck.parse({ type: "tcp", target: ":5432" });
const SINCE = "2026-11-26T10:00:00.000Z";
let counter = 0;

async function announce({ mesh }: TestMesh, machineIds: readonly MachineId[], healthCheck: HealthCheck | null = CHECK) {
  const host = ++counter;
  const id = VipId.parse(ID_PREFIXES.vip + renderUlid(Date.now() + host, new Uint8Array(16)));
  const fields = { name: `vip-${host}`, machineIds, isEnabled: true, healthCheck };
  const made = await mesh.createAnnouncement({
    ...{ id, kind: "vip", cause: TEST_CAUSE, fields: { ...fields, address: Ipv4.parse(`10.1.1.${host}`) } },
  });
  if (!made.ok) throw new Error(made.error.code);
  return made.value;
}

async function read({ mesh }: TestMesh, id: VipId | string) {
  const found = await mesh.getAnnouncement(id as VipId);
  if (!found.ok) throw new Error(found.error.code);
  const { heldBy, announcers } = found.value;
  return { heldBy, states: announcers.map(({ state }) => state), texts: announcers.map(({ text }) => text) };
}

const report = (id: string, status: string, text: string | null = null, isAll = false) => ({
  type: "checks.report",
  checks: [{ id, status, since: SINCE, text }],
  isAll,
});

describe.each(TRANSPORTS)("over %s", (transport) => {
  test("a machine is healthy or failing once it has said so, and the VIP is held by a healthy one", async () => {
    const mesh = await createTestMesh();
    const [one, other] = [await connectMember(mesh, transport), await connectMember(mesh, transport)];
    const { id } = await announce(mesh, [one.machineId, other.machineId]);
    expect(await read(mesh, id)).toMatchObject({ heldBy: null, states: ["unknown", "unknown"] });
    await one.send(report(id, "healthy", null, true));
    await other.send(report(id, "healthy", null, true));
    await eventually(async () =>
      expect(await read(mesh, id)).toMatchObject({ heldBy: one.machineId, states: ["healthy", "healthy"] }),
    );
    await one.send(report(id, "unhealthy", "connection refused"));
    await eventually(async () =>
      expect(await read(mesh, id)).toEqual({
        ...{ heldBy: other.machineId, states: ["failing", "healthy"], texts: ["connection refused", null] },
      }),
    );
  });

  test("what is not the member's own is not taken from it", async () => {
    const mesh = await createTestMesh();
    const [one, stranger] = [await connectMember(mesh, transport), await connectMember(mesh, transport)];
    const { id } = await announce(mesh, [one.machineId]);
    await stranger.send(report(id, "healthy"), { type: "sync.heartbeat", epoch: "other", revision: 0 });
    await stranger.next("sync.snapshot");
    expect(await read(mesh, id)).toMatchObject({ heldBy: null, states: ["unknown"] });
  });
});

describe("a machine", () => {
  it("that is not connected is not called healthy, and holds nothing", async () => {
    const mesh = await createTestMesh();
    const { machineId, socket } = await mesh.connectNew();
    const never = await mesh.addNew();
    const { id } = await announce(mesh, [machineId, never.machineId]);
    socket.send(report(id, "healthy"));
    await eventually(async () => expect(await read(mesh, id)).toMatchObject({ states: ["healthy", "offline"] }));
    socket.close();
    await eventually(async () =>
      expect(await read(mesh, id)).toMatchObject({ heldBy: null, states: ["unknown", "offline"] }),
    );
    await runInDurableObject(mesh.stub, (_, state) => {
      state.storage.sql.exec("UPDATE members SET last_seen_at = last_seen_at - 61000 WHERE last_seen_at IS NOT NULL");
    });
    expect(await read(mesh, id)).toMatchObject({ heldBy: null, states: ["offline", "offline"] });
  });

  it("announces what has no check as long as it is connected, and nothing that is disabled", async () => {
    const mesh = await createTestMesh();
    const { machineId } = await mesh.connectNew();
    const { id } = await announce(mesh, [machineId], null);
    expect(await read(mesh, id)).toMatchObject({ heldBy: machineId, states: ["unchecked"] });
    await mesh.mesh.updateAnnouncement({ id, fields: { isEnabled: false }, cause: TEST_CAUSE });
    expect(await read(mesh, id)).toEqual({ heldBy: null, states: [], texts: [] });
  });

  it("forgets what it does not tell any more with a new connection", async () => {
    const mesh = await createTestMesh();
    const member = await connectMember(mesh, "socket");
    const [first, second] = [await announce(mesh, [member.machineId]), await announce(mesh, [member.machineId])];
    await member.send(report(first.id, "healthy", null, true), report(second.id, "healthy"));
    await eventually(async () => expect(await read(mesh, second.id)).toMatchObject({ states: ["healthy"] }));
    await member.send(report(first.id, "unhealthy", "gone", true));
    await eventually(async () => expect(await read(mesh, first.id)).toMatchObject({ states: ["failing"] }));
    expect(await read(mesh, second.id)).toMatchObject({ states: ["unknown"] });
  });
});

test("what was told outlives the object's sleep, and goes with the member and with the VIP", async () => {
  const mesh = await createTestMesh();
  const [stays, leaves] = [await mesh.connectNew(), await mesh.connectNew()];
  const { id } = await announce(mesh, [stays.machineId, leaves.machineId]);
  for (const { socket } of [stays, leaves]) socket.send(report(id, "healthy"));
  await eventually(async () => expect(await read(mesh, id)).toMatchObject({ states: ["healthy", "healthy"] }));
  await evictDurableObject(mesh.stub);
  expect(await read(mesh, id)).toMatchObject({ states: ["healthy", "healthy"] });
  const countKept = () =>
    runInDurableObject(
      mesh.stub,
      (_, state) => state.storage.sql.exec("SELECT count(*) AS count FROM check_states").one().count,
    );
  await mesh.remove(leaves.machineId);
  expect(await countKept()).toBe(1);
  await mesh.mesh.deleteAnnouncement({ id, cause: TEST_CAUSE });
  expect(await countKept()).toBe(0);
});

test("whoever watches hears that a check turned", async () => {
  const mesh = await createTestMesh();
  const { machineId, socket } = await mesh.connectNew();
  const { id } = await announce(mesh, [machineId]);
  const watcher = await watchMesh(mesh);
  socket.send(report(id, "healthy"));
  expect(await watcher.nextChange("vips")).toEqual({ resource: "vips", machineIds: [machineId] });
});

test("a change is one row, and saying it again is none", async () => {
  const mesh = await createTestMesh();
  const { machineId } = await mesh.addNew();
  const { id } = await announce(mesh, [machineId]);
  await runInDurableObject(mesh.stub, (_, state) => {
    const { checkStates, db } = createMesh(state, {} as never);
    const take = (since: string) => {
      const before = db.work.rowsWritten;
      checkStates.take(machineId, { checks: [{ id, status: "healthy", since, text: null }], isAll: true });
      return db.work.rowsWritten - before;
    };
    expect([take(SINCE), take(SINCE), take("2026-11-26T10:00:01.000Z")]).toEqual([1, 0, 0]);
  });
});

test("a list looks each machine up once, however many VIPs it has", async () => {
  const mesh = await createTestMesh();
  const { machineId } = await mesh.addNew();
  const measure = () =>
    runInDurableObject(mesh.stub, async (_, state) => {
      const { announcements, toViews, db } = createMesh(state, {} as never);
      const records = announcements.list("vip", { after: null, limit: 100 });
      const before = db.work.rowsRead;
      expect(toViews(records)).toHaveLength(records.length);
      return db.work.rowsRead - before;
    });
  await announce(mesh, [machineId]);
  const ofOne = await measure();
  for (let more = 0; more < 9; more++) await announce(mesh, [machineId]);
  expect(ofOne).toBeGreaterThan(0);
  expect(await measure()).toBe(ofOne);
});

test("a member that tells without end is cut off", async () => {
  const mesh = await createTestMesh();
  const { machineId, socket } = await mesh.connectNew();
  const { id } = await announce(mesh, [machineId]);
  for (let count = 0; count < 100; count++) socket.send(report(id, count % 2 === 0 ? "healthy" : "unhealthy"));
  expect((await socket.closed).code).toBe(4429);
  const again = await mesh.socket(machineId);
  again.send(createHello());
  expect((await again.next()).type).toBe("sync.snapshot");
});
