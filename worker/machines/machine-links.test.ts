// How a machine talks with its peers, as the API tells it: through the app and the objects, with a machine that answers on its sockets.
import { describe, expect, it } from "vitest";
import {
  explainMachinePeer,
  getMachineNetwork,
  listMachineEndpoints,
  listMachineEvents,
  listMachinePeers,
} from "#schema/api/machine-links";
import { removeMember } from "#schema/api/members";
import { createMesh } from "#schema/api/meshes";
import type { MachineId, MeshId } from "#schema/ids";
import { AGENT_PATHS } from "#schema/wire/enrolment";
import { FromMeshMessage, type TelemetryReport } from "#schema/wire/messages";
import { createTestApp, uniqueName } from "../testing/create-test-app.ts";
import { type EnrolledMachine, enrolMachine, toApp } from "../testing/enrolled-machine.ts";
import { eventually } from "../testing/eventually.ts";
import { createFakePoller, createHello, openMeshSocket } from "../testing/fake-agent.ts";
import { createReport } from "../testing/test-telemetry.ts";

const app = createTestApp();
const UNKNOWN = "mch_01arz3ndektsv4rrffq69g5fav";
let nextNetwork = 0;

const createFreshMesh = async () =>
  (await app.call(createMesh, { body: { name: uniqueName("mesh"), cidr: `10.${++nextNetwork}.0.0/22` } })).reply.id;

/** A machine that reports to whoever looks. */
async function connect(
  machine: EnrolledMachine,
  meshId: MeshId,
  report: (meshId: MeshId) => TelemetryReport,
): Promise<void> {
  const socket = await openMeshSocket(toApp(app, machine, AGENT_PATHS.meshSync(meshId)));
  socket.send(createHello());
  await socket.next();
  void (async () => {
    for (;;) {
      const message = await socket.next();
      if (message.type === "telemetry.watch") socket.send(report(meshId));
    }
  })();
}

async function createPair({ meshCount = 1 } = {}) {
  const meshIds: MeshId[] = [];
  for (let count = 0; count < meshCount; count++) meshIds.push(await createFreshMesh());
  const [machine, peer] = [await enrolMachine(app, { meshIds }), await enrolMachine(app, { meshIds })];
  const params = { machineId: machine.machineId };
  return { machine, peer, meshIds, meshId: meshIds[0] as MeshId, params };
}

const LIVE = [listMachinePeers, listMachineEndpoints, getMachineNetwork, explainMachinePeer] as const;

describe("a machine that is connected", () => {
  it("tells its peers, over all its meshes or one", async () => {
    const { machine, peer, meshIds, params } = await createPair({ meshCount: 2 });
    for (const meshId of meshIds) await connect(machine, meshId, (id) => createReport(id, [peer.machineId]));
    const { items } = (await app.call(listMachinePeers, { params, as: "viewer" })).reply;
    expect(items.map(({ meshId }) => meshId).sort()).toEqual(meshIds.toSorted());
    expect(items[0]).toMatchObject({ machineId: peer.machineId, name: peer.name, path: "direct", latencyMs: 8.5 });
    expect(items[0]).not.toHaveProperty("candidates");
    const [meshId = ""] = meshIds;
    const one = (await app.call(listMachinePeers, { params, query: { meshId } })).reply;
    expect(one.items.map((item) => item.meshId)).toEqual([meshId]);
    const none = (await app.call(listMachinePeers, { params, query: { meshId: await createFreshMesh() } })).reply;
    expect(none.items).toEqual([]);
  });

  it("explains one peer, once for each mesh that both are in", async () => {
    const { machine, peer, meshIds, params } = await createPair({ meshCount: 2 });
    const other = await enrolMachine(app, { meshIds: meshIds.slice(0, 1) });
    const peerIds = [other.machineId, peer.machineId];
    for (const meshId of meshIds) await connect(machine, meshId, (id) => createReport(id, peerIds));
    const explain = async (peerId: MachineId) =>
      (await app.call(explainMachinePeer, { params: { ...params, peerId } })).reply.items;
    expect(await explain(peer.machineId)).toHaveLength(2);
    expect(await explain(other.machineId)).toMatchObject([
      { meshId: meshIds[0], machineId: other.machineId, candidates: [{ outcome: "answered" }] },
    ]);
  });

  it("tells its endpoints and its network", async () => {
    const { machine, meshId, params } = await createPair();
    await connect(machine, meshId, (id) => createReport(id, []));
    const [endpoint] = (await app.call(listMachineEndpoints, { params, as: "viewer" })).reply.items;
    expect(endpoint).toMatchObject({ meshId, type: "stun", observedBy: "192.0.2.1:3478" });
    const { report } = (await app.call(getMachineNetwork, { params, as: "viewer" })).reply;
    expect(report).toMatchObject({ mapping: "endpoint-independent", preservesPort: true });
  });

  it("has no report of its network before it has measured", async () => {
    const { machine, meshId, params } = await createPair();
    await connect(machine, meshId, (id) => createReport(id, [], { nat: null }));
    expect((await app.call(getMachineNetwork, { params })).reply).toEqual({ report: null });
  });

  it("is answered where it is connected, though it is not in another mesh", async () => {
    const { machine, peer, meshIds, meshId, params } = await createPair({ meshCount: 2 });
    await connect(machine, meshId, (id) => createReport(id, [peer.machineId]));
    expect((await app.call(listMachinePeers, { params })).reply.items).toMatchObject([{ meshId }]);
    const query = { meshId: meshIds[1] as string };
    expect((await app.call(listMachinePeers, { params, query })).problem.code).toBe("machine_offline");
  });
});

describe("a machine that is not connected", () => {
  it.each(LIVE)("is offline for $id, which says when it was seen", async (operation) => {
    const { machine, peer, meshId, params } = await createPair();
    const call = () => app.call(operation, { params: { ...params, peerId: peer.machineId } });
    const { problem, headers } = await call();
    expect(problem).toMatchObject({ status: 503, code: "machine_offline" });
    expect(problem.detail).toBe(`${machine.name} is not connected; it was never seen`);
    expect(headers.get("retry-after")).toBe("1");
    const socket = await openMeshSocket(toApp(app, machine, AGENT_PATHS.meshSync(meshId)));
    socket.close();
    await socket.closed;
    expect((await call()).problem.detail).toMatch(/it was last seen at 20\d\d-\d\d-\d\dT[\d:.]+Z$/);
  });

  it("has no peers in no mesh, and no report", async () => {
    const { machineId } = await enrolMachine(app, { meshIds: [] });
    const params = { machineId };
    expect((await app.call(listMachinePeers, { params })).reply.items).toEqual([]);
    expect((await app.call(listMachineEndpoints, { params })).reply.items).toEqual([]);
    expect((await app.call(getMachineNetwork, { params })).reply.report).toBeNull();
  });
});

describe("what is not there", () => {
  it.each([...LIVE, listMachineEvents])("is said by name: $id of an unknown machine", async (operation) => {
    const params = { machineId: UNKNOWN, peerId: UNKNOWN };
    expect((await app.call(operation, { params })).problem.code).toBe("machine_not_found");
  });

  it("is said by name: a peer in no common mesh, an unknown one, the machine itself", async () => {
    const { machine, params } = await createPair();
    const stranger = await enrolMachine(app, { meshIds: [await createFreshMesh()] });
    for (const peerId of [stranger.machineId, UNKNOWN, machine.machineId]) {
      const answer = await app.call(explainMachinePeer, { params: { ...params, peerId } });
      expect(answer.problem).toMatchObject({ status: 404, code: "peer_not_found" });
    }
  });

  it("is said by name: a peer that has not connected so far", async () => {
    const { machine, peer, meshId, params } = await createPair();
    await connect(machine, meshId, (id) => createReport(id, []));
    const answer = await app.call(explainMachinePeer, { params: { ...params, peerId: peer.machineId } });
    expect(answer.problem).toMatchObject({ code: "peer_not_found", detail: expect.stringContaining("not connected") });
  });
});

describe("link events", () => {
  const toReport = (peerId: MachineId, message: string) => ({
    ...{ peerId, kind: "path_changed", path: "relayed", endpoint: null, at: "2026-11-25T10:00:00Z" },
    reason: { code: "hard_nats", message },
  });

  it("are listed newest first over all meshes, in pages that neither repeat nor skip", async () => {
    const { machine, peer, meshIds, params } = await createPair({ meshCount: 3 });
    const pollers = meshIds.map((id) =>
      createFakePoller(toApp(app, machine, AGENT_PATHS.meshSync(id)), FromMeshMessage),
    );
    for (let round = 0; round < 4; round++) {
      for (const poller of pollers) {
        const links = [toReport(peer.machineId, `round ${round}`), toReport(peer.machineId, `round ${round}`)];
        await poller.post({ type: "link.report", links });
      }
    }
    const seen: string[] = [];
    const rounds: string[] = [];
    let cursor: string | null = null;
    do {
      const query: Record<string, string> = { limit: "5", ...(cursor === null ? {} : { cursor }) };
      const page = (await app.call(listMachineEvents, { params, query, as: "viewer" })).reply;
      expect(page.items.length).toBeLessThanOrEqual(5);
      seen.push(...page.items.map(({ meshId }) => meshId));
      rounds.push(...page.items.map(({ reason }) => reason.message));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen).toHaveLength(24);
    for (const meshId of meshIds) expect(seen.filter((id) => id === meshId)).toHaveLength(8);
    expect(rounds).toEqual(rounds.toSorted().reverse());
  });

  it("say who, how and why, of this machine only", async () => {
    const { machine, peer, meshId, params } = await createPair();
    const poller = createFakePoller(toApp(app, machine, AGENT_PATHS.meshSync(meshId)), FromMeshMessage);
    await poller.post({ type: "link.report", links: [toReport(peer.machineId, "because")] });
    expect((await app.call(listMachineEvents, { params })).reply.items).toMatchObject([
      { meshId, peerId: peer.machineId, peerName: peer.name, kind: "path_changed", path: "relayed", endpoint: null },
    ]);
    const ofPeer = await app.call(listMachineEvents, { params: { machineId: peer.machineId } });
    expect(ofPeer.reply).toEqual({ items: [], nextCursor: null });
  });

  it("of a mesh that the machine has left are not its any more", async () => {
    const { machine, peer, meshId, params } = await createPair();
    const poller = createFakePoller(toApp(app, machine, AGENT_PATHS.meshSync(meshId)), FromMeshMessage);
    await poller.post({ type: "link.report", links: [toReport(peer.machineId, "because")] });
    await app.call(removeMember, { params: { meshId, ...params } });
    await eventually(async () => {
      expect((await app.call(listMachineEvents, { params })).reply.items).toEqual([]);
    });
  });

  it("refuse the cursors of other lists, and what is none", async () => {
    const { meshId, params } = await createPair();
    for (const cursor of [meshId, `1.${meshId}.x`, "1.msh_uuuuuuuuuuuuuuuuuuuuuuuuuu.1", "9".repeat(60)]) {
      const answer = await app.call(listMachineEvents, { params, query: { cursor: btoa(cursor) } });
      expect(answer.problem.code).toBe("cursor_invalid");
    }
  });
});
