// What members hear of routes and VIPs: everybody who may announce what, and each member what it has to announce itself.
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { Ipv4, Ipv6Cidr } from "#schema/address";
import { HealthCheck } from "#schema/health-check";
import { ID_PREFIXES, type MachineId, RouteId, renderUlid, VipId } from "#schema/ids";
import { FIRST_PRIVATE_ASN, MeshCidr } from "#schema/mesh";
import { NO_POLICIES } from "#schema/policy";
import { Prefix } from "#schema/prefix";
import type { SyncChanges } from "#schema/wire/messages";
import {
  createHello,
  createMachineId,
  createMeshId,
  createMeshView,
  createPublicKey,
} from "../../testing/fake-agent.ts";
import { connectMember, TRANSPORTS } from "../../testing/test-member.ts";
import { createTestMesh, TEST_CAUSE, type TestMesh } from "../../testing/test-mesh.ts";
import { createMesh, type MeshServices } from "../create-mesh.ts";
import { addMember, initialiseMesh, removeMember, updateMember } from "../members.ts";
import { createReplies } from "../sync/replies.ts";
import { readDelta } from "../sync/sync.ts";
import {
  type AnnouncementFields,
  createAnnouncement,
  deleteAnnouncement,
  updateAnnouncement,
} from "./change-announcements.ts";

let counter = 0;
const ulid = () => renderUlid(Date.now() + counter++, new Uint8Array(16));
const createRouteId = () => RouteId.parse(ID_PREFIXES.route + ulid());
const createVipId = () => VipId.parse(ID_PREFIXES.vip + ulid());
const EXEC = HealthCheck.parse({ type: "exec", target: ["/usr/bin/secret-check", "--token=hunter2"] });

const toFields = (machineIds: readonly MachineId[], more: Partial<AnnouncementFields> = {}): AnnouncementFields => ({
  ...{ name: `lan-${++counter}`, machineIds, isEnabled: true, healthCheck: null },
  prefixes: [Prefix.parse(`192.168.${counter % 256}.0/24`)],
  ...more,
});

async function announce({ mesh }: TestMesh, fields: AnnouncementFields) {
  const created = await mesh.createAnnouncement({ id: createRouteId(), kind: "route", fields, cause: TEST_CAUSE });
  if (!created.ok) throw new Error(created.error.code);
  return created.value;
}

describe.each(TRANSPORTS)("over %s", (transport) => {
  test("a route is told to everybody, its check to its machines only", async () => {
    const mesh = await createTestMesh();
    const announcer = await connectMember(mesh, transport);
    const other = await connectMember(mesh, transport);
    const { id, prefixes } = await announce(mesh, toFields([announcer.machineId], { healthCheck: EXEC }));
    const row = { id, prefixes, machineIds: [announcer.machineId] };

    const own = await nextAnnouncing(announcer);
    expect(own).toMatchObject({ announcements: [row], duties: [{ id, isVip: false, healthCheck: EXEC }] });
    const others = await nextAnnouncing(other);
    expect(others).toMatchObject({ announcements: [row] });
    expect(others).not.toHaveProperty("duties");

    const late = await mesh.addNew();
    const [snapshot] = await mesh.poller(late.machineId).post(createHello());
    expect(snapshot).toMatchObject({ type: "sync.snapshot", announcements: [row], duties: [] });
    expect(JSON.stringify([others, snapshot])).not.toContain("secret");
    const [again] = await mesh.poller(announcer.machineId).post(createHello());
    expect(again).toMatchObject({ type: "sync.snapshot", duties: [{ id }] });
  });

  test("what is disabled, without machines or deleted is withdrawn, and no more told to who comes later", async () => {
    const mesh = await createTestMesh();
    const member = await connectMember(mesh, transport);
    const { machineId } = member;
    const { id } = await announce(mesh, toFields([machineId]));
    expect((await nextAnnouncing(member)).announcements).toMatchObject([{ id, machineIds: [machineId] }]);
    const change = (fields: Partial<AnnouncementFields>) =>
      mesh.mesh.updateAnnouncement({ id, fields, cause: TEST_CAUSE });
    const withdrawn = { announcements: [{ id, prefixes: [], machineIds: [] }], duties: [] };

    await change({ isEnabled: false });
    expect(await nextAnnouncing(member)).toMatchObject(withdrawn);
    await change({ isEnabled: true });
    expect(await nextAnnouncing(member)).toMatchObject({ duties: [{ id }] });
    await change({ machineIds: [] });
    expect(await nextAnnouncing(member)).toMatchObject(withdrawn);
    await change({ machineIds: [machineId] });
    await nextAnnouncing(member);
    await mesh.mesh.deleteAnnouncement({ id, cause: TEST_CAUSE });
    expect(await nextAnnouncing(member)).toMatchObject(withdrawn);
    const [snapshot] = await mesh.poller(machineId).post(createHello());
    expect(snapshot).toMatchObject({ announcements: [], duties: [] });
  });

  test("a member that leaves may announce nothing any more, and nothing again when it comes back", async () => {
    const mesh = await createTestMesh();
    const stays = await connectMember(mesh, transport);
    const leaves = await mesh.connectNew();
    const { id } = await announce(mesh, toFields([leaves.machineId, stays.machineId]));
    const { id: alone } = await announce(mesh, toFields([leaves.machineId]));
    const view = createMeshView();
    const [before] = await mesh.poller(leaves.machineId).post(createHello());
    if (before !== undefined) view.take(before);
    expect(view.duties().map((duty) => duty.id)).toEqual([id, alone]);

    await mesh.remove(leaves.machineId);
    const told = await nextAnnouncing(stays, ({ removed }) => removed.length > 0);
    expect(told.removed).toEqual([leaves.machineId]);
    expect(told.announcements).toContainEqual({ id: alone, prefixes: [], machineIds: [] });
    expect(told.announcements).toContainEqual(expect.objectContaining({ id, machineIds: [stays.machineId] }));

    // It was away all the time, and goes on from where it was.
    await mesh.add(leaves.machineId);
    const [answer] = await mesh.poller(leaves.machineId).post(createHello({ position: view.position() }));
    expect(answer?.type).toBe("sync.changes");
    if (answer !== undefined) view.take(answer);
    expect([view.duties(), view.prefixesOf(leaves.machineId)]).toEqual([[], []]);
  });
});

test("a VIP is told as two prefixes of one host", async () => {
  const mesh = await createTestMesh();
  const member = await connectMember(mesh, "socket");
  const { prefixes: _, ...others } = toFields([member.machineId]);
  const fields = { ...others, address: Ipv4.parse("10.1.0.100") };
  const id = createVipId();
  const announcement = { id, kind: "vip" as const, fields, cause: TEST_CAUSE };
  const created = await mesh.mesh.createAnnouncement(announcement);
  expect(await mesh.mesh.createAnnouncement(announcement)).toEqual(created);
  expect(await nextAnnouncing(member)).toMatchObject({
    announcements: [{ id, prefixes: ["10.1.0.100/32", "fd00:1:2:3::64/128"] }],
    duties: [{ id, isVip: true }],
  });
});

test("a change costs what it changes, whatever else there is", () =>
  withMesh(200, (mesh, machineIds) => {
    const [one, other] = machineIds;
    if (one === undefined || other === undefined) throw new Error("too few members");
    const idle = create(mesh, toFields([one]));
    for (let count = 0; count < 50; count++) create(mesh, toFields(machineIds.slice(0, 20)));
    const since = () => mesh.storage.readMesh()?.revision ?? 0;
    const deltaOf = (act: () => void) => {
      const before = since();
      const rowsRead = mesh.db.work.rowsRead;
      act();
      const spent = mesh.db.work.rowsRead - rowsRead;
      const { changed, announcements, own } = readDelta(mesh, readMesh(mesh), before);
      return { changed: changed.length, rows: announcements.length, duties: [...own.keys()], spent };
    };
    const update = (fields: Partial<AnnouncementFields>) =>
      expect(updateAnnouncement(mesh, { id: idle, fields, cause: TEST_CAUSE }, 0).ok).toBe(true);

    const prefixes = [Prefix.parse("172.16.0.0/24")];
    expect(deltaOf(() => update({ prefixes }))).toMatchObject({ changed: 0, rows: 1, duties: [] });
    expect(deltaOf(() => update({ machineIds: [one, other] }))).toMatchObject({ rows: 1, duties: [other] });
    expect(deltaOf(() => update({ isMasquerading: true }))).toMatchObject({ rows: 0, duties: [one, other] });
    expect(deltaOf(() => update({ name: "renamed" }))).toMatchObject({ rows: 0, duties: [] });
    expect(deltaOf(() => update({ name: "renamed" })).spent).toBeLessThan(5);
    const candidates = deltaOf(() => updateMember(mesh.storage, one, { name: "other" }));
    expect(candidates).toMatchObject({ changed: 1, rows: 0, duties: [] });
    const last = machineIds.at(-1);
    if (last === undefined) return;
    const leaving = deltaOf(() => removeMember(mesh, { machineId: last, cause: TEST_CAUSE }, 0));
    expect(leaving).toMatchObject({ rows: 0, duties: [] });
    expect(leaving.spent).toBeLessThan(20);
  }));

test("who missed that a route was withdrawn hears it, also when the route has gone since", () =>
  withMesh(2, (mesh, machineIds) => {
    const id = create(mesh, toFields(machineIds));
    const position = { epoch: readMesh(mesh).epoch, revision: readMesh(mesh).revision };
    updateAnnouncement(mesh, { id, fields: { isEnabled: false }, cause: TEST_CAUSE }, 0);
    const between = { ...position, revision: readMesh(mesh).revision };
    deleteAnnouncement(mesh, { id, cause: TEST_CAUSE }, 0);
    const replies = createReplies(mesh);
    const machineId = createMachineId();
    for (const from of [position, between]) {
      const texts = replies.catchUp(readMesh(mesh), { machineId, position: from });
      expect(JSON.parse(texts[0] ?? "")).toMatchObject({ announcements: [{ id, machineIds: [] }] });
    }
    const disabled = create(mesh, toFields(machineIds, { isEnabled: false }));
    const { tombstoneCount } = readMesh(mesh);
    deleteAnnouncement(mesh, { id: disabled, cause: TEST_CAUSE }, 0);
    expect(readMesh(mesh).tombstoneCount).toBe(tombstoneCount);
  }));

/** The next changes that say something of announcements. */
async function nextAnnouncing(
  member: Awaited<ReturnType<typeof connectMember>>,
  isWanted: (message: SyncChanges) => boolean = ({ announcements }) => announcements.length > 0,
): Promise<SyncChanges> {
  for (;;) {
    const message = await member.next("sync.changes");
    if (isWanted(message)) return message;
  }
}

function create(mesh: MeshServices, fields: AnnouncementFields) {
  const created = createAnnouncement(mesh, { id: createRouteId(), kind: "route", fields, cause: TEST_CAUSE }, 0);
  if (!created.ok) throw new Error(created.error.code);
  return created.value.id;
}

function withMesh<T>(count: number, use: (mesh: MeshServices, machineIds: MachineId[]) => T): Promise<T> {
  const id = createMeshId();
  return runInDurableObject(env.MESH.getByName(id), (_, state) => {
    const mesh = createMesh(state, env);
    const cidr6 = Ipv6Cidr.parse("fd00:1:2:3::/64");
    const cidr = MeshCidr.parse("10.0.0.0/8");
    initialiseMesh(
      mesh,
      {
        id,
        name: "office",
        cidr,
        cidr6,
        asn: FIRST_PRIVATE_ASN,
        fallback: "relay",
        routeReflectorMode: false,
        keyRotationDays: null,
        policies: NO_POLICIES,
      },
      0,
    );
    const machineIds = Array.from({ length: count }, () => {
      const machineId = createMachineId();
      addMember(mesh, { machineId, name: "box", address: null, isGateway: false, cause: TEST_CAUSE }, 0);
      updateMember(mesh.storage, machineId, { publicKey: createPublicKey() });
      return machineId;
    });
    return use(mesh, machineIds);
  });
}

function readMesh({ storage }: MeshServices) {
  const mesh = storage.readMesh();
  if (mesh === null) throw new Error("no mesh");
  return mesh;
}
