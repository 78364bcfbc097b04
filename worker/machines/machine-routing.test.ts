// What a machine's routing does, as the API tells it: through the app and the objects, with a machine that answers on its sockets.
import { describe, expect, it } from "vitest";
import type { AnnouncementState } from "#schema/announcement-state";
import { listMachinePeers } from "#schema/api/machine-links";
import { getMachineRib, listMachineAnnouncements } from "#schema/api/machine-routing";
import { createMesh } from "#schema/api/meshes";
import { createRoute } from "#schema/api/routes";
import { RouteId } from "#schema/ids";
import { AGENT_PATHS } from "#schema/wire/enrolment";
import type { ToMeshMessage } from "#schema/wire/messages";
import { createTestApp, uniqueName } from "../testing/create-test-app.ts";
import { enrolMachine, toApp } from "../testing/enrolled-machine.ts";
import { createHello, openMeshSocket } from "../testing/fake-agent.ts";
import { createRibReport, createRibRoute } from "../testing/test-rib.ts";
import { createExplanation, createReport } from "../testing/test-telemetry.ts";

const app = createTestApp();
let nextNetwork = 0;

async function createParty() {
  const body = { name: uniqueName("mesh"), cidr: `10.${++nextNetwork}.0.0/22` };
  const { id: meshId } = (await app.call(createMesh, { body })).reply;
  const [machine, peer] = [
    await enrolMachine(app, { meshIds: [meshId] }),
    await enrolMachine(app, { meshIds: [meshId] }),
  ];
  const params = { machineId: machine.machineId };

  async function answering(answer: (message: { type: string; requestId: string }) => ToMeshMessage | null) {
    const socket = await openMeshSocket(toApp(app, machine, AGENT_PATHS.meshSync(meshId)));
    socket.send(createHello());
    await socket.next();
    void (async () => {
      for (;;) {
        const message = await socket.next();
        const reply = answer({ requestId: "", ...message });
        if (reply !== null) socket.send(reply);
      }
    })();
  }
  return { meshId, machine, peer, params, answering };
}

describe("the routes of a machine", () => {
  it("are told with the mesh, to whoever may look", async () => {
    const { meshId, peer, params, answering } = await createParty();
    await answering((message) =>
      message.type === "rib.request" ? createRibReport(message, [createRibRoute(peer.machineId)]) : null,
    );
    const { reply } = await app.call(getMachineRib, { params, as: "viewer", query: { prefix: "192.168.0.0/16" } });
    expect(reply).toMatchObject({ isTruncated: false, problems: [] });
    expect(reply.items).toMatchObject([{ meshId, prefix: "192.168.7.0/24", origin: { name: peer.name } }]);
  });

  it("are none, with the reason, where no BIRD runs", async () => {
    const { meshId, params, answering } = await createParty();
    await answering((message) =>
      message.type === "rib.request" ? createRibReport(message, [], { problem: "no BIRD runs" }) : null,
    );
    const { reply } = await app.call(getMachineRib, { params });
    expect(reply).toEqual({ items: [], isTruncated: false, problems: [{ meshId, message: "no BIRD runs" }] });
  });

  it("can't be told by a machine that is not connected, nor by one that is not there", async () => {
    const { params } = await createParty();
    expect((await app.call(getMachineRib, { params })).problem).toMatchObject({ code: "machine_offline", status: 503 });
    const unknown = { machineId: "mch_01arz3ndektsv4rrffq69g5fav" };
    expect((await app.call(getMachineRib, { params: unknown })).problem.code).toBe("machine_not_found");
  });

  it("are of a prefix without host bits", async () => {
    const { params } = await createParty();
    const answer = await app.call(getMachineRib, { params, query: { prefix: "10.1.2.3/8" } });
    expect(answer.problem).toMatchObject({ code: "validation_failed", errors: [{ path: "prefix" }] });
  });
});

describe("what a machine announces", () => {
  it("has its names from the mesh and its state from the machine, which tells of nothing else", async () => {
    const { meshId, machine, params, answering } = await createParty();
    const body = { name: "lan", prefixes: ["192.168.7.0/24"], machineIds: [machine.machineId] };
    const route = (await app.call(createRoute, { params: { meshId }, body })).reply;
    const state: Omit<AnnouncementState, "id"> = {
      ...{ isAnnounced: false, status: "unhealthy", since: "2026-11-25T10:00:00.000Z", reason: "failed\u202e" },
      results: [{ at: "2026-11-25T10:00:00.000Z", durationMs: 3, isSuccess: false, text: "refused" }],
    };
    const ids = [route.id, RouteId.parse("rt_01arz3ndektsv4rrffq69g5fav")];
    const announcements = ids.map((id) => ({ ...state, id }));
    await answering(({ type }) => (type === "telemetry.watch" ? createReport(meshId, [], { announcements }) : null));
    const { items } = (await app.call(listMachineAnnouncements, { params, as: "viewer" })).reply;
    expect(items).toMatchObject([
      { id: route.id, meshId, kind: "route", name: "lan", prefixes: body.prefixes, status: "unhealthy" },
    ]);
    expect(items[0]?.reason).toBe("failed\uFFFD");
  });
});

it("a peer comes with its BGP session, and with none when the machine's agent does not tell", async () => {
  const { meshId, peer, params, answering } = await createParty();
  const bgp = { state: "active", since: "2026-11-25T10:00:00.000Z", lastError: "Socket: Connection refused" } as const;
  const silent: Record<string, unknown> = createExplanation(meshId, peer.machineId);
  const peers = [createExplanation(meshId, peer.machineId, { bgp })];
  await answering(({ type }) => (type === "telemetry.watch" ? createReport(meshId, [], { peers }) : null));
  expect((await app.call(listMachinePeers, { params })).reply.items).toMatchObject([{ bgp }]);
  delete silent.bgp;
  peers[0] = silent as (typeof peers)[number];
  const older = await createParty();
  const told = { ...silent, meshId: older.meshId, machineId: older.peer.machineId } as (typeof peers)[number];
  await older.answering(({ type }) =>
    type === "telemetry.watch" ? createReport(older.meshId, [], { peers: [told] }) : null,
  );
  const { items } = (await app.call(listMachinePeers, { params: older.params })).reply;
  expect(items[0]?.bgp).toEqual({ state: "not_applicable", since: null, lastError: null });
});
