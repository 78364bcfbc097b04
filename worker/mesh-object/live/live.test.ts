// What somebody hears who watches a mesh.
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, it, test } from "vitest";
import { Ipv4 } from "#schema/address";
import { ID_PREFIXES, type MachineId, RouteId, renderUlid, VipId } from "#schema/ids";
import type { LiveChange } from "#schema/live/messages";
import { LIVE_VERSION } from "#schema/live/version";
import { Prefix } from "#schema/prefix";
import { createMachineId, createPublicKey } from "../../testing/fake-agent.ts";
import { connectMember, TRANSPORTS } from "../../testing/test-member.ts";
import { createTestMesh, TEST_CAUSE } from "../../testing/test-mesh.ts";
import { fetchLive, openWatcher, watchMesh } from "../../testing/test-watcher.ts";
import { HINT_EVERY_MS, MAX_WATCHERS_OF_ONE } from "./live.ts";

const about = (...machineIds: MachineId[]): Omit<LiveChange, "resource"> => ({ machineIds });
const ULID = renderUlid(Date.now(), new Uint8Array(16));
const toAnnouncement = (kind: "route" | "vip", machineId: MachineId) => ({
  ...{
    kind,
    cause: TEST_CAUSE,
    id: kind === "route" ? RouteId.parse(ID_PREFIXES.route + ULID) : VipId.parse(ID_PREFIXES.vip + ULID),
  },
  fields: {
    ...{ name: "some", machineIds: [machineId], isEnabled: true, healthCheck: null },
    ...(kind === "route" ? { prefixes: [Prefix.parse("192.168.7.0/24")] } : { address: Ipv4.parse("10.1.0.100") }),
  },
});
const linkReport = (peerId: MachineId) => ({
  ...{ peerId, kind: "down", path: "none", endpoint: null, at: "2026-11-26T10:00:00Z" },
  reason: { code: "path_died", message: "no answer for 15 s" },
});

test("whoever comes is told where the mesh is, and what comes after it", async () => {
  const mesh = await createTestMesh();
  const watcher = await watchMesh(mesh);
  expect(watcher.received[0]).toMatchObject({ type: "live.welcome", liveVersion: LIVE_VERSION, revision: 1 });
  await mesh.mesh.changeSettings({ name: "renamed" });
  expect(await watcher.next()).toEqual({
    type: "live.changed",
    revision: 2,
    changes: [{ resource: "mesh", machineIds: null }],
    mark: expect.stringMatching(/^\w{8}$/),
  });
});

describe("a hint comes", () => {
  it("when a member comes, connects, applies, is renamed and goes, and when the lists know of it", async () => {
    const mesh = await createTestMesh();
    const watcher = await watchMesh(mesh);
    const { machineId } = await mesh.addNew();
    expect(await watcher.nextChange("members")).toMatchObject(about(machineId));
    await watcher.nextChange("lists");
    const member = await connectMember(mesh, "socket", { machineId });
    expect(await watcher.nextChange("presence")).toMatchObject(about(machineId));
    await member.send({ type: "sync.applied", epoch: "e", revision: 3, failures: [] });
    expect(await watcher.nextChange("members")).toMatchObject(about(machineId));
    await mesh.mesh.renameMember(machineId, "renamed");
    expect(await watcher.nextChange("machines")).toMatchObject(about(machineId));
    await mesh.remove(machineId);
    expect(await watcher.nextChange("members")).toMatchObject(about(machineId));
    await watcher.nextChange("lists");
  });

  it.each(TRANSPORTS)("when a member says hello over %s", async (transport) => {
    const mesh = await createTestMesh();
    const watcher = await watchMesh(mesh);
    const { machineId } = await connectMember(mesh, transport);
    expect(await watcher.nextChange("presence")).toMatchObject(about(machineId));
  });

  it("when a member's socket closes", async () => {
    const mesh = await createTestMesh();
    const { machineId, socket } = await mesh.connectNew();
    const watcher = await watchMesh(mesh);
    socket.close();
    expect(await watcher.nextChange("presence")).toMatchObject(about(machineId));
  });

  it("when a member is elsewhere, and when links of its change", async () => {
    const mesh = await createTestMesh();
    const peer = await mesh.addNew();
    const member = await connectMember(mesh, "socket");
    const watcher = await watchMesh(mesh);
    await member.send({ type: "member.update", publicKey: createPublicKey() });
    expect(await watcher.nextChange("network")).toMatchObject(about(member.machineId));
    await member.send({ type: "link.report", links: [linkReport(peer.machineId)] });
    expect(await watcher.nextChange("links")).toMatchObject(about(member.machineId));
  });

  it("when a machine says that its routes are others", async () => {
    const mesh = await createTestMesh();
    const member = await connectMember(mesh, "socket");
    const watcher = await watchMesh(mesh);
    await member.send({ type: "rib.changed" });
    expect(await watcher.nextChange("rib")).toMatchObject(about(member.machineId));
  });

  it("when a route and a VIP are made, changed and deleted", async () => {
    const mesh = await createTestMesh();
    const { machineId } = await mesh.addNew();
    const watcher = await watchMesh(mesh);
    for (const [kind, resource] of [
      ["route", "routes"],
      ["vip", "vips"],
    ] as const) {
      const made = await mesh.mesh.createAnnouncement(toAnnouncement(kind, machineId));
      if (!made.ok) throw new Error(made.error.code);
      await watcher.nextChange(resource);
      const { id } = made.value;
      await mesh.mesh.updateAnnouncement({ id, fields: { isEnabled: false }, cause: TEST_CAUSE });
      await watcher.nextChange(resource);
      await mesh.mesh.deleteAnnouncement({ id, cause: TEST_CAUSE });
      await watcher.nextChange(resource);
    }
  });
});

test("changes that come close together are few messages", async () => {
  const mesh = await createTestMesh();
  const watcher = await watchMesh(mesh);
  const startedAt = Date.now();
  for (let count = 0; count < 60; count++) await mesh.addNew();
  await mesh.mesh.changeSettings({ name: "the-end" });
  await watcher.nextChange("mesh");
  const frames = watcher.received.length - 1;
  expect(frames).toBeLessThanOrEqual(2 + (Date.now() - startedAt) / HINT_EVERY_MS);
});

describe("an object that slept", () => {
  it("has its watchers and its machines, and confuses none of them", async () => {
    const mesh = await createTestMesh();
    const watcher = await watchMesh(mesh);
    const member = await connectMember(mesh, "socket");
    await watcher.nextChange("lists");
    await evictDurableObject(mesh.stub);
    await mesh.mesh.changeSettings({ name: "renamed" });
    await watcher.nextChange("mesh");
    await member.next("sync.changes");
    expect(await mesh.mesh.getMember(member.machineId)).toMatchObject({ value: { online: true } });
    await evictDurableObject(mesh.stub);
    // A watcher is no machine, whatever it says, and no machine goes when it goes.
    watcher.send({ type: "sync.heartbeat", epoch: "e", revision: 1 });
    watcher.close();
    await watcher.closed;
    await mesh.mesh.renameMember(member.machineId, "again");
    await member.next("sync.changes");
  });

  it("closes those that were let in too long ago before it tells them anything", async () => {
    const mesh = await createTestMesh();
    const watcher = await watchMesh(mesh);
    await ageWatchers(mesh);
    await mesh.mesh.changeSettings({ name: "renamed" });
    expect(await watcher.closed).toMatchObject({ code: 4401 });
    expect(watcher.received).toHaveLength(1);
  });
});

async function ageWatchers(mesh: Awaited<ReturnType<typeof createTestMesh>>): Promise<void> {
  await runInDurableObject(mesh.stub, (_, state) => {
    for (const webSocket of state.getWebSockets("watcher")) {
      webSocket.serializeAttachment({ ...webSocket.deserializeAttachment(), openedAt: Date.now() - 600_000 });
    }
  });
  await evictDurableObject(mesh.stub);
}

describe("when what somebody was let in with is revoked", () => {
  it.each(["user:usr_a", "session:ses_a"] as const)(
    "by %s: no other socket is closed, also after hibernation",
    async (grant) => {
      const mesh = await createTestMesh();
      const open = (actor: string, session: string) => openWatcher(() => fetchLive(mesh, actor, { session }));
      const its = await open("user:usr_a", "session:ses_a");
      const others = await Promise.all([
        open("user:usr_b", "session:ses_b"),
        openWatcher(() => fetchLive(mesh, "api_token:atk_a")),
      ]);
      await evictDurableObject(mesh.stub);
      await mesh.mesh.dismissWatchers(grant);
      expect(await its.closed).toMatchObject({ code: 4401 });
      await mesh.mesh.changeSettings({ name: "renamed" });
      for (const other of others) await other.nextChange("mesh");
      expect(its.received).toHaveLength(1);
    },
  );

  it("nobody comes in who was looked up before; whoever was looked up since may", async () => {
    const mesh = await createTestMesh();
    const checkedAtMs = Date.now();
    await mesh.mesh.dismissWatchers("session:ses_a");
    const late = await fetchLive(mesh, "user:usr_a", { session: "session:ses_a", checkedAtMs });
    expect(await late.json()).toMatchObject({ status: 401, code: "unauthenticated" });
    const since = { session: "session:ses_a", checkedAtMs: Date.now() + 1 };
    await openWatcher(() => fetchLive(mesh, "user:usr_a", since));
    await openWatcher(() => fetchLive(mesh, "user:usr_a", { session: "session:ses_b", checkedAtMs }));
  });
});

test("nothing is stored by watching", async () => {
  const mesh = await createTestMesh();
  const { machineId } = await mesh.connectNew();
  const readRows = () =>
    runInDurableObject(mesh.stub, (_, { storage: { sql } }) =>
      sql
        .exec<{ name: string }>(
          "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
        )
        .toArray()
        .map(({ name }) => [name, sql.exec(`SELECT * FROM ${name}`).toArray()]),
    );
  const before = await readRows();
  const watcher = await watchMesh(mesh);
  watcher.send({ type: "live.watch", machines: [{ machineId }] });
  watcher.sendText("ping");
  watcher.close();
  await watcher.closed;
  expect(await readRows()).toEqual(before);
});

describe("what a watcher may not do", () => {
  it.each([
    ["send no JSON", "{", 4400],
    ["send binary", new Uint8Array([123]).buffer, 4400],
    ["send much", JSON.stringify({ type: "live.watch", machines: [], more: "x".repeat(4_096) }), 4400],
    ["watch many machines", JSON.stringify({ type: "live.watch", machines: Array(5).fill({}) }), 4400],
  ])("%s", async (_, frame, code) => {
    const watcher = await watchMesh(await createTestMesh());
    watcher.sendText(frame);
    expect(await watcher.closed).toMatchObject({ code });
  });

  it("send often", async () => {
    const watcher = await watchMesh(await createTestMesh());
    for (let count = 0; count < 40; count++) watcher.send({ type: "live.watch", machines: [] });
    expect(await watcher.closed).toMatchObject({ code: 4429 });
  });

  it("be many, of one person", async () => {
    const mesh = await createTestMesh();
    const [first] = await Promise.all(Array.from({ length: MAX_WATCHERS_OF_ONE }, () => watchMesh(mesh, "user:a")));
    const refused = await fetchLive(mesh, "user:a");
    expect(await refused.json()).toMatchObject({ status: 409, code: "limit_reached", requestId: "req_test" });
    await watchMesh(mesh, "user:b");
    first?.close();
    await first?.closed;
    await watchMesh(mesh, "user:a");
    // Those that were let in too long ago make room.
    await ageWatchers(mesh);
    await watchMesh(mesh, "user:a");
  });

  it("watch what is no mesh, or no more", async () => {
    const mesh = await createTestMesh();
    const watcher = await watchMesh(mesh);
    await mesh.mesh.close();
    expect(await watcher.closed).toMatchObject({ code: 4410 });
    expect(await (await fetchLive(mesh)).json()).toMatchObject({ code: "mesh_not_found" });
  });

  it("be left unread where it says what this version does not know", async () => {
    const watcher = await watchMesh(await createTestMesh());
    watcher.send({ type: "live.other", machineId: createMachineId() });
    watcher.sendText("ping");
    await expect.poll(() => watcher.pongs()).toBe(1);
  });
});
