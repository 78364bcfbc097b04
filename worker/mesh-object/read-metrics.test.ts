import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { ID_PREFIXES, type MachineId, RouteId } from "#schema/ids";
import type { LinkReport, PathKind } from "#schema/path";
import { Prefix } from "#schema/prefix";
import { createMachineId } from "../testing/fake-agent.ts";
import { connectMember, type TestMember, TRANSPORTS } from "../testing/test-member.ts";
import { createTestMesh, TEST_CAUSE, type TestMesh } from "../testing/test-mesh.ts";
import { watchMesh } from "../testing/test-watcher.ts";
import { createMesh } from "./create-mesh.ts";
import { addMember } from "./members.ts";
import { readMeshMetrics } from "./read-metrics.ts";

const read = async ({ mesh }: TestMesh) => {
  const metrics = await mesh.readMetrics();
  if (metrics === null) throw new Error("no mesh");
  return metrics;
};

const toLink = (peerId: MachineId, path: PathKind, code: LinkReport["reason"]["code"] = "hard_nats"): LinkReport => ({
  ...{ peerId, path, endpoint: null, at: new Date().toISOString(), reason: { code, message: "because" } },
  kind: path === "none" ? "down" : "up",
});

const tell = async (member: TestMember, ...links: LinkReport[]) => {
  await member.send({ type: "link.report", links });
  await member.drain();
};

describe.each(TRANSPORTS)("over %s", (transport) => {
  test("counts who is connected, who failed and who is behind", async () => {
    const mesh = await createTestMesh();
    const member = await connectMember(mesh, transport);
    await mesh.addNew("never seen");
    // Who looks on is no member.
    await watchMesh(mesh);
    const before = await read(mesh);
    expect(before).toMatchObject({
      ...{ memberCount: 2, online: [member.machineId], failingCount: 0, behindCount: 0, gatewayCount: 0 },
      watcherCount: 1,
      connections: transport === "socket" ? { websocket: 1, longPoll: 0 } : { websocket: 0, longPoll: 1 },
    });
    const failure = { step: "address.add", code: "command_failed", message: "no", since: new Date().toISOString() };
    const { epoch } = await readPosition(mesh);
    await member.send({ type: "sync.applied", epoch, revision: 1, failures: [failure] });
    await member.drain();
    const after = await read(mesh);
    expect(after).toMatchObject({ failingCount: 1, behindCount: 1 });
    await member.send({ type: "sync.applied", ...(await readPosition(mesh)), failures: [] });
    await member.drain();
    expect(await read(mesh)).toMatchObject({ failingCount: 0, behindCount: 0 });
  });
});

describe("pairs without a direct path", () => {
  test("count once, by the worse of what the two told last, and only while both are online", async () => {
    const mesh = await createTestMesh();
    const [one, two, three] = await connectThree(mesh);
    const { machineId: absent } = await mesh.addNew();
    await tell(one, toLink(two.machineId, "relayed"), toLink(three.machineId, "transit"), toLink(absent, "relayed"));
    await tell(two, toLink(one.machineId, "relayed"), toLink(three.machineId, "direct"));
    expect((await read(mesh)).pairs).toEqual({ relayed: 1, transit: 1, none: 0 });
    await tell(three, toLink(one.machineId, "none"), toLink(two.machineId, "relayed"));
    expect((await read(mesh)).pairs).toEqual({ relayed: 2, transit: 0, none: 1 });
    // What was told is known after the object slept, too.
    await evictDurableObject(mesh.stub);
    expect((await read(mesh)).pairs).toEqual({ relayed: 2, transit: 0, none: 1 });
    await tell(two, toLink(three.machineId, "relayed"));
    await tell(three, toLink(one.machineId, "direct"), toLink(two.machineId, "direct"));
    await tell(one, toLink(three.machineId, "direct"), toLink(two.machineId, "direct"));
    await tell(two, toLink(one.machineId, "direct"));
    expect((await read(mesh)).pairs).toEqual({ relayed: 1, transit: 0, none: 0 });
  });

  test("that have nothing to say are none of them", async () => {
    const mesh = await createTestMesh();
    const [one, two] = await connectThree(mesh);
    await tell(one, toLink(two.machineId, "none", "idle"));
    expect((await read(mesh)).pairs).toEqual({ relayed: 0, transit: 0, none: 0 });
    await evictDurableObject(mesh.stub);
    expect((await read(mesh)).pairs).toEqual({ relayed: 0, transit: 0, none: 0 });
  });
});

test("counts routes and VIPs, and those that nobody who is online holds", async () => {
  const mesh = await createTestMesh();
  const [member] = await connectThree(mesh);
  const { machineId: absent } = await mesh.addNew();
  const create = async (name: string, machineIds: MachineId[], isEnabled = true) => {
    const fields = { name, prefixes: [Prefix.parse(`192.168.${name}.0/24`)], machineIds, isEnabled };
    const id = RouteId.parse(createMachineId().replace(ID_PREFIXES.machine, ID_PREFIXES.route));
    const route = { isMasquerading: false, allowsDefaultRoute: false, healthCheck: null, ...fields };
    const created = await mesh.mesh.createAnnouncement({ id, kind: "route", fields: route, cause: TEST_CAUSE });
    expect(created.ok).toBe(true);
  };
  await create("1", [absent, member.machineId]);
  await create("2", [absent]);
  await create("3", [absent], false);
  expect(await read(mesh)).toMatchObject({
    routes: { count: 3, enabledCount: 2, unheldCount: 1 },
    vips: { count: 0, enabledCount: 0, unheldCount: 0 },
  });
});

test("a mesh that is gone tells nothing", async () => {
  const mesh = await createTestMesh();
  await mesh.mesh.close();
  expect(await mesh.mesh.readMetrics()).toBeNull();
});

test("writes nothing, and reads the same however many members there are", async () => {
  const work = async (memberCount: number) => {
    const { stub } = await createTestMesh();
    return runInDurableObject(stub, (_, state) => {
      const mesh = createMesh(state, env);
      for (let count = 0; count < memberCount; count++)
        addMember(
          mesh,
          { machineId: createMachineId(), name: "box", address: null, isGateway: false, cause: TEST_CAUSE },
          0,
        );
      const before = { ...mesh.db.work };
      expect(readMeshMetrics(mesh, Date.now())?.memberCount).toBe(memberCount);
      const { rowsRead, rowsWritten } = mesh.db.work;
      return { rowsRead: rowsRead - before.rowsRead, rowsWritten: rowsWritten - before.rowsWritten };
    });
  };
  const [few, many] = [await work(3), await work(500)];
  expect(many).toEqual(few);
  expect(many.rowsWritten).toBe(0);
});

async function connectThree(mesh: TestMesh): Promise<[TestMember, TestMember, TestMember]> {
  return [
    await connectMember(mesh, "socket"),
    await connectMember(mesh, "socket"),
    await connectMember(mesh, "socket"),
  ];
}

const readPosition = (mesh: TestMesh) =>
  runInDurableObject(mesh.stub, (_, state) => {
    const { epoch, revision } = createMesh(state, env).storage.readMesh() ?? { epoch: "", revision: 0 };
    return { epoch, revision };
  });
