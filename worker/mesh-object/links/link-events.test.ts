import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { Endpoint } from "#schema/address";
import type { MachineId } from "#schema/ids";
import type { LinkReport } from "#schema/path";
import { migrate } from "../../durable/migrate.ts";
import { createDatabase, type Database } from "../../durable/sqlite.ts";
import { createMachineId } from "../../testing/fake-agent.ts";
import { connectMember, TRANSPORTS } from "../../testing/test-member.ts";
import { createTestMesh, type TestMesh } from "../../testing/test-mesh.ts";
import { MESH_MIGRATIONS } from "../migrations.ts";
import { createLinkEvents, type LinkEventBounds, type LinkEvents } from "./link-events.ts";

const toReport = (peerId: MachineId, change: Partial<LinkReport> = {}): LinkReport => ({
  peerId,
  kind: "up",
  path: "direct",
  endpoint: Endpoint.parse("198.51.100.7:51820"),
  reason: { code: "direct", message: "direct: a check was answered in 12 ms" },
  at: "2026-11-25T10:00:00.000Z",
  ...change,
});
const listAll = (mesh: TestMesh, machineId: MachineId) =>
  mesh.mesh.listLinkEvents(machineId, { before: null, limit: 1_000 });

describe.each(TRANSPORTS)("over %s", (transport) => {
  test("link reports are kept, newest first, with the peer's name", async () => {
    const mesh = await createTestMesh();
    const { machineId: peerId } = await mesh.addNew("peer");
    const member = await connectMember(mesh, transport);
    const down = toReport(peerId, { kind: "down", path: "none", endpoint: null, at: "2026-11-25T11:00:00Z" });
    await member.send({ type: "link.report", links: [toReport(peerId), down] });
    await member.drain();
    const events = await listAll(mesh, member.machineId);
    const { at, ...told } = toReport(peerId);
    expect(events.map(({ event }) => event)).toEqual([
      expect.objectContaining({ kind: "down", path: "none", endpoint: null, reportedAt: "2026-11-25T11:00:00.000Z" }),
      { ...told, peerName: "peer", reportedAt: at, at: expect.any(String) },
    ]);
    expect(Math.abs(Date.parse(events[0]?.event.at ?? "") - Date.now())).toBeLessThan(10_000);
    expect(await listAll(mesh, peerId)).toEqual([]);
  });

  test("of links to who is no peer nothing is kept, and the connection stays", async () => {
    const mesh = await createTestMesh();
    const elsewhere = await (await createTestMesh()).addNew();
    const member = await connectMember(mesh, transport);
    const links = [elsewhere.machineId, createMachineId(), member.machineId].map((id) => toReport(id));
    await member.send({ type: "link.report", links });
    expect((await member.drain()).map(({ type }) => type)).not.toContain("error");
    expect(await listAll(mesh, member.machineId)).toEqual([]);
  });

  test("events beyond a member's rate are dropped, and the connection stays", async () => {
    const mesh = await createTestMesh();
    const { machineId: peerId } = await mesh.addNew();
    const member = await connectMember(mesh, transport);
    const links = Array(64).fill(toReport(peerId));
    for (let count = 0; count < 12; count++) await member.send({ type: "link.report", links });
    await member.drain();
    const { length } = await listAll(mesh, member.machineId);
    expect([length >= 512, length < 520]).toEqual([true, true]);
  });
});

test("a member that lets the object sleep may not tell more for that", async () => {
  const mesh = await createTestMesh();
  const { machineId: peerId } = await mesh.addNew();
  const member = await connectMember(mesh, "socket");
  for (let life = 0; life < 3; life++) {
    const links = Array(64).fill(toReport(peerId));
    for (let count = 0; count < 6; count++) await member.send({ type: "link.report", links });
    await member.drain();
    await evictDurableObject(mesh.stub);
  }
  expect((await listAll(mesh, member.machineId)).length).toBeLessThan(530);
});

test("a report of too many links, or of none, is a bad message", async () => {
  const mesh = await createTestMesh();
  const { machineId: peerId } = await mesh.addNew();
  for (const links of [Array(65).fill(toReport(peerId)), []]) {
    const { socket } = await mesh.connectNew();
    socket.send({ type: "link.report", links });
    expect(await socket.closed).toMatchObject({ code: 4400 });
  }
});

test("a peer that has left keeps its events, without a name", async () => {
  const mesh = await createTestMesh();
  const peer = await mesh.addNew("peer");
  const member = await connectMember(mesh, "socket");
  await member.send({ type: "link.report", links: [toReport(peer.machineId)] });
  await member.drain();
  await mesh.remove(peer.machineId);
  expect(await listAll(mesh, member.machineId)).toMatchObject([{ event: { peerId: peer.machineId, peerName: null } }]);
});

describe("what is kept", () => {
  const DAY = 24 * 3_600_000;
  const NOW = Date.parse("2026-11-25T10:00:00Z");
  const [machine, other, peer] = [createMachineId(), createMachineId(), createMachineId()];
  const list = (events: LinkEvents, nowMs: number, machineId = machine) =>
    events.list(machineId, { before: null, limit: 1_000, nowMs });

  test("is bounded by count: the oldest go, whosever they are", () =>
    withLinkEvents({ maxEvents: 10 }, (events, db) => {
      for (let count = 0; count < 8; count++) events.add(other, [toReport(peer)], NOW);
      events.add(machine, Array(6).fill(toReport(peer)), NOW);
      expect([list(events, NOW).length, list(events, NOW, other).length]).toEqual([6, 4]);
      expect(countRows(db)).toBe(10);
    }));

  test("is bounded for each member: who tells much loses its own oldest, and nobody else's", () =>
    withLinkEvents({ maxEvents: 40, maxMemberEvents: 10 }, (events, db) => {
      for (let count = 0; count < 6; count++) events.add(other, [toReport(peer)], NOW + count);
      for (let count = 0; count < 100; count++) events.add(machine, [toReport(peer)], NOW + 10 + count);
      expect([list(events, NOW + 200).length, list(events, NOW + 200, other).length]).toEqual([10, 6]);
      expect(list(events, NOW + 200).at(-1)?.position.at).toBe(NOW + 100);
      // Also after the object slept.
      const again = createLinkEvents(db, { maxEvents: 40, maxMemberEvents: 10, maxAgeMs: 30 * DAY });
      again.add(machine, Array(20).fill(toReport(peer)), NOW + 200);
      expect([list(again, NOW + 200).length, list(again, NOW + 200, other).length]).toEqual([10, 6]);
    }));

  test("is bounded for the mesh though numbers have gaps", () =>
    withLinkEvents({ maxEvents: 15, maxMemberEvents: 10 }, (events, db) => {
      for (let count = 0; count < 8; count++) events.add(other, [toReport(peer)], NOW);
      for (let count = 0; count < 30; count++) events.add(machine, [toReport(peer)], NOW);
      expect([list(events, NOW).length, list(events, NOW, other).length, countRows(db)]).toEqual([10, 5, 15]);
    }));

  test("is bounded by age: what is too old is not shown, and goes as new ones come", () =>
    withLinkEvents({ maxAgeMs: 30 * DAY }, (events, db) => {
      events.add(machine, Array(6).fill(toReport(peer)), NOW);
      expect(list(events, NOW + 30 * DAY)).toHaveLength(6);
      expect(list(events, NOW + 30 * DAY + 1)).toHaveLength(0);
      for (let count = 1; count <= 3; count++) events.add(machine, [toReport(peer)], NOW + 31 * DAY);
      expect([list(events, NOW + 31 * DAY).length, countRows(db)]).toEqual([3, 3]);
    }));

  test("costs the same however many there are", () =>
    withLinkEvents({ maxEvents: 2_000 }, (events, db) => {
      const measure = () => {
        const before = { ...db.work };
        events.add(machine, [toReport(peer)], NOW);
        const { rowsRead, rowsWritten } = db.work;
        return { rowsRead: rowsRead - before.rowsRead, rowsWritten: rowsWritten - before.rowsWritten };
      };
      events.add(machine, Array(20).fill(toReport(peer)), NOW);
      const few = measure();
      for (let count = 0; count < 20; count++) events.add(machine, Array(90).fill(toReport(peer)), NOW);
      // A row and its index entry.
      expect([few.rowsWritten, measure()]).toEqual([2, few]);
      events.add(machine, Array(500).fill(toReport(peer)), NOW);
      const full = measure();
      expect([full.rowsWritten, countRows(db)]).toEqual([3, 2_000]);
      expect(full.rowsRead).toBeLessThan(16);
    }));

  test("is read in pages that neither repeat nor skip, with the index alone", () =>
    withLinkEvents({}, (events, db) => {
      for (let count = 0; count < 300; count++) events.add(other, [toReport(peer)], NOW + count);
      for (let count = 0; count < 30; count++) events.add(machine, [toReport(peer)], NOW + (count >> 2));
      const before = db.work.rowsRead;
      const seen: number[] = [];
      for (let place = null; seen.length < 30; ) {
        const page = events.list(machine, { before: place, limit: 7, nowMs: NOW + 1_000 });
        seen.push(...page.map(({ position }) => position.number));
        place = page.at(-1)?.position ?? null;
      }
      expect(seen).toEqual([...new Set(seen)].sort((one, two) => two - one));
      expect(db.work.rowsRead - before).toBeLessThan(120);
    }));

  test("stays in order when the object's clock goes back, and bounds how long a reason is", () =>
    withLinkEvents({}, (events) => {
      events.add(machine, [toReport(peer)], NOW);
      const reason = { code: "direct" as const, message: "x".repeat(60_000) };
      events.add(machine, [toReport(peer, { reason })], NOW - 5_000);
      const [newest, oldest] = list(events, NOW);
      expect(newest?.position.at).toBe(oldest?.position.at);
      expect(newest?.event.reason.message).toHaveLength(500);
    }));
});

const countRows = (db: Database) => db.first<{ count: number }>("SELECT count(*) AS count FROM link_events")?.count;

function withLinkEvents(
  bounds: Partial<LinkEventBounds>,
  use: (events: LinkEvents, db: Database) => void,
): Promise<void> {
  return runInDurableObject(env.MESH.get(env.MESH.newUniqueId()), (_, { storage }) => {
    const db = createDatabase(storage);
    migrate(db, MESH_MIGRATIONS);
    const wide = { maxEvents: 50_000, maxMemberEvents: 50_000, maxAgeMs: Number.MAX_SAFE_INTEGER / 4 };
    use(createLinkEvents(db, { ...wide, ...bounds }), db);
  });
}
