import { describe, expect, test } from "vitest";
import { MAX_RIB_ROUTES } from "#schema/bgp";
import { MAX_MACHINE_MESSAGE_BYTES } from "#schema/limits";
import { Prefix } from "#schema/prefix";
import { createMachineId } from "../../testing/fake-agent.ts";
import { connectMember, TRANSPORTS } from "../../testing/test-member.ts";
import { createTestMesh } from "../../testing/test-mesh.ts";
import { createRibReport, createRibRoute } from "../../testing/test-rib.ts";

const WAIT = { prefix: null, waitMs: 4_000 };
const SILENT = { ok: false, error: { code: "silent" } };

describe.each(TRANSPORTS)("over %s", (transport) => {
  test("the member is asked for its routes, and tells them in parts", async () => {
    const mesh = await createTestMesh();
    const peer = await mesh.addNew("a-peer");
    const member = await connectMember(mesh, transport);
    const prefix = Prefix.parse("192.168.0.0/16");
    const reading = mesh.mesh.readRib(member.machineId, { prefix, waitMs: 4_000 });
    const request = await member.next("rib.request");
    expect(request).toMatchObject({ prefix });
    const [one, other] = [createRibRoute(peer.machineId), createRibRoute(createMachineId())];
    await member.send(createRibReport(request, [one], { hasMore: true }));
    await member.send(createRibReport(request, [other], { isTruncated: true }));
    const read = await reading;
    expect(read).toMatchObject({ ok: true, value: { isTruncated: true, problem: null } });
    // Names are the mesh's, and who is no member has none.
    expect(read.ok && read.value.routes.map(({ origin }) => origin)).toEqual([
      { machineId: peer.machineId, name: "a-peer" },
      null,
    ]);
  });

  test("a member that answers nothing is silent, one that is not connected offline, a stranger no member", async () => {
    const mesh = await createTestMesh();
    const member = await connectMember(mesh, transport);
    const read = (machineId = member.machineId) => mesh.mesh.readRib(machineId, { prefix: null, waitMs: 20 });
    expect(await read()).toEqual(SILENT);
    expect(await read((await mesh.addNew()).machineId)).toEqual({ ok: false, error: { code: "offline" } });
    expect(await read(createMachineId())).toEqual({ ok: false, error: { code: "member_not_found" } });
    await mesh.mesh.close();
    expect(await read()).toEqual({ ok: false, error: { code: "mesh_not_found" } });
  });
});

test("two that want the same share a question; whoever wants another prefix asks for it", async () => {
  const mesh = await createTestMesh();
  const member = await connectMember(mesh, "socket");
  const prefix = Prefix.parse("10.9.0.0/16");
  const reads = [WAIT, WAIT, { ...WAIT, prefix }].map((options) => mesh.mesh.readRib(member.machineId, options));
  const all = await member.next("rib.request");
  const some = await member.next("rib.request");
  expect([all, some]).toMatchObject([{ prefix: null }, { prefix }]);
  await member.send(createRibReport(some, [], { problem: "no BIRD" }), createRibReport(all, []));
  const answers = await Promise.all(reads);
  expect(answers.map((read) => read.ok && read.value.problem)).toEqual([null, null, "no BIRD"]);
});

test("what nobody asked for is dropped, and so is a report to a question of before", async () => {
  const mesh = await createTestMesh();
  const member = await connectMember(mesh, "socket");
  const first = mesh.mesh.readRib(member.machineId, { prefix: null, waitMs: 20 });
  const old = await member.next("rib.request");
  expect(await first).toEqual(SILENT);
  const second = mesh.mesh.readRib(member.machineId, WAIT);
  const request = await member.next("rib.request");
  await member.send(createRibReport(old, [createRibRoute(member.machineId)]), createRibReport(request, []));
  expect(await second).toMatchObject({ ok: true, value: { routes: [] } });
});

test("a member that leaves while it is asked is offline", async () => {
  const mesh = await createTestMesh();
  const member = await connectMember(mesh, "socket");
  const reading = mesh.mesh.readRib(member.machineId, WAIT);
  await member.next("rib.request");
  await mesh.remove(member.machineId);
  expect(await reading).toEqual({ ok: false, error: { code: "offline" } });
});

test("no more is kept than an answer holds, whatever a member sends", async () => {
  const mesh = await createTestMesh();
  const member = await connectMember(mesh, "socket");
  const reading = mesh.mesh.readRib(member.machineId, WAIT);
  const request = await member.next("rib.request");
  const route = createRibRoute(member.machineId);
  const count = Math.floor((MAX_MACHINE_MESSAGE_BYTES * 0.7) / JSON.stringify(route).length);
  const part = createRibReport(request, Array(count).fill(route), { hasMore: true });
  for (let sent = 0; sent <= MAX_RIB_ROUTES; sent += count) await member.send(part);
  const read = await reading;
  expect(read).toMatchObject({ ok: true, value: { isTruncated: true } });
  expect(read.ok && read.value.routes.length).toBe(MAX_RIB_ROUTES);
});
