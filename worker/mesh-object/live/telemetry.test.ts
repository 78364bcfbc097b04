// Telemetry flows to who watches a machine, for as long as somebody does.
import { evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { createMachineId } from "../../testing/fake-agent.ts";
import { connectMember, TRANSPORTS } from "../../testing/test-member.ts";
import { createTestMesh } from "../../testing/test-mesh.ts";
import { createReport } from "../../testing/test-telemetry.ts";
import { watchMesh } from "../../testing/test-watcher.ts";

async function createScene(transport: (typeof TRANSPORTS)[number] = "socket") {
  const mesh = await createTestMesh();
  const peer = await mesh.addNew("a-peer");
  const member = await connectMember(mesh, transport);
  const watcher = await watchMesh(mesh);
  const { machineId } = member;
  const watch = (explain: readonly string[] = []) =>
    watcher.send({ type: "live.watch", machines: [{ machineId, explain }] });
  const report = (change: Parameters<typeof createReport>[2] = {}) =>
    member.send(createReport(mesh.settings.id, [peer.machineId, createMachineId()], change));
  return { mesh, peer, member, machineId, watcher, watch, report };
}

describe.each(TRANSPORTS)("of a machine over %s", (transport) => {
  it("is asked for by the first who watches, and comes as the mesh knows it", async () => {
    const { peer, member, machineId, watcher, watch, report } = await createScene(transport);
    watch();
    expect(await member.next("telemetry.watch")).toMatchObject({ seconds: 30 });
    await report({ isSteady: false });
    await report();
    const told = await watcher.nextTelemetry();
    expect(told).toMatchObject({ machineId, explanations: [], nat: { udp: { ipv4: true } } });
    // The name is the mesh's, and who is no member is left out.
    expect(told.peers).toMatchObject([{ machineId: peer.machineId, name: "a-peer", latencyMs: 8.5 }]);
    expect(told.endpoints).toHaveLength(1);
  });
});

it("explains the peers that were asked for", async () => {
  const { peer, member, watcher, watch, report } = await createScene();
  watch([peer.machineId]);
  await member.next("telemetry.watch");
  await report();
  expect((await watcher.nextTelemetry()).explanations).toMatchObject([
    { machineId: peer.machineId, candidates: [{ outcome: "answered" }] },
  ]);
});

it("is asked for anew when the machine comes back, and goes on when the object slept", async () => {
  const { mesh, member, machineId, watcher, watch } = await createScene();
  watch();
  await member.next("telemetry.watch");
  const again = await connectMember(mesh, "socket", { machineId });
  await again.next("telemetry.watch");
  await evictDurableObject(mesh.stub);
  await again.send(createReport(mesh.settings.id, []));
  await again.next("telemetry.watch");
  expect(await watcher.nextTelemetry()).toMatchObject({ machineId });
});

it("comes to nobody who watches another machine, none, or no more", async () => {
  const { mesh, member, watcher, watch, report } = await createScene();
  const [other, idle, stranger] = await Promise.all([watchMesh(mesh), watchMesh(mesh), watchMesh(mesh)]);
  const { machineId: another } = await mesh.addNew();
  other.send({ type: "live.watch", machines: [{ machineId: another }] });
  stranger.send({ type: "live.watch", machines: [{ machineId: createMachineId() }] });
  watch();
  await member.next("telemetry.watch");
  await report();
  await watcher.nextTelemetry();
  watcher.send({ type: "live.watch", machines: [] });
  watcher.sendText("ping");
  await expect.poll(() => watcher.pongs()).toBe(1);
  await report();
  await mesh.mesh.changeSettings({ name: "the-end" });
  for (const one of [watcher, other, idle, stranger]) await one.nextChange("mesh");
  const frames = [watcher, other, idle, stranger].map(
    ({ received }) => received.filter(({ type }) => type === "live.telemetry").length,
  );
  expect(frames).toEqual([1, 0, 0, 0]);
});
