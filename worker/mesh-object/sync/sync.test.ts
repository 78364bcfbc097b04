// What members hear of each other. The same on both transports: every case of the first table runs on a socket and on long-poll.
import { describe, expect, test } from "vitest";
import type { MachineId } from "#schema/ids";
import type { FromMeshMessage } from "#schema/wire/messages";
import {
  createHello,
  createMeshView,
  createPublicKey,
  type HelloOptions,
  openMeshSocket,
  takeUntil,
  toObject,
} from "../../testing/fake-agent.ts";
import { createTestMesh, type TestMesh } from "../../testing/test-mesh.ts";

/** Sends the messages and takes what the last of them is answered. */
type Ask = (...messages: unknown[]) => Promise<FromMeshMessage[]>;
const transports: Record<string, (mesh: TestMesh, machineId: MachineId) => Promise<Ask>> = {
  async socket({ socket }, machineId) {
    const open = await socket(machineId);
    return async (...messages) => {
      messages.forEach(open.send);
      return [await open.next()];
    };
  },
  "long-poll": async ({ poller }, machineId) => poller(machineId).post,
};

describe.each(Object.entries(transports))("over %s", (_, connect) => {
  const hello = (ask: Ask, options?: HelloOptions) => ask(createHello(options));

  test("answers the first hello with everything, this member included", async () => {
    const mesh = await createTestMesh();
    const { machineId } = await mesh.addNew("box");
    const publicKey = createPublicKey();
    const candidates = [{ type: "host", endpoint: "192.0.2.7:51820" }];
    const answer = await hello(await connect(mesh, machineId), { publicKey, candidates });
    const member = { machineId, name: "box", address: "10.1.0.1", address6: "fd00:1:2:3::1", publicKey, candidates };
    expect(answer).toMatchObject([{ type: "sync.snapshot", mesh: mesh.settings, members: [member] }]);
  });

  test("tells the others that a member's interface was made anew, and forgets it no more", async () => {
    const mesh = await createTestMesh();
    const peer = await mesh.connectNew();
    const { machineId } = await mesh.addNew();
    const ask = await connect(mesh, machineId);
    const facts = { publicKey: createPublicKey(), candidates: [] };
    await ask({ ...createHello(facts), deviceEpoch: "first1" });

    const [answer] = await ask({ ...createHello(facts), deviceEpoch: "second2" });
    expect(rowOf(answer, machineId)).toMatchObject({ deviceEpoch: "second2" });
    // A machine that lost its memory of it leaves it out.
    const [again] = await ask(createHello(facts));
    expect(rowOf(again, machineId)).toMatchObject({ deviceEpoch: "second2" });
    expect(rowOf(peer.answer, peer.machineId)).not.toHaveProperty("deviceEpoch");
  });

  test("tells the others a member's NAT and whether it answers checks, and forgets them no more", async () => {
    const mesh = await createTestMesh();
    const peer = await mesh.connectNew();
    const { machineId } = await mesh.addNew();
    const ask = await connect(mesh, machineId);
    const facts = { publicKey: createPublicKey(), candidates: [] };
    const nat = { mapping: "address-dependent", filtering: "unknown", isUdpOpen: false, publicAddress: "192.0.2.1" };
    const [first] = await ask({ ...createHello(facts), nat, answersChecks: false });
    expect(rowOf(first, machineId)).toMatchObject({ nat, answersChecks: false });
    const [again] = await ask(createHello(facts));
    expect(rowOf(again, machineId)).toMatchObject({ nat, answersChecks: false });
    const changed = { ...nat, isUdpOpen: true };
    const update = { type: "member.update", nat: changed, answersChecks: true };
    const [updated] = await ask(update, createHello(facts));
    expect(rowOf(updated, machineId)).toMatchObject({ nat: changed, answersChecks: true });
    expect(rowOf(peer.answer, peer.machineId)).toMatchObject({ answersChecks: true, isGateway: false });
    expect(rowOf(peer.answer, peer.machineId)).not.toHaveProperty("nat");
  });

  test("shows members only after their first hello", async () => {
    const mesh = await createTestMesh();
    const { machineId } = await mesh.addNew();
    await mesh.addNew("silent");
    const answer = await hello(await connect(mesh, machineId));
    expect(answer).toMatchObject([{ members: [{ machineId }] }]);
  });

  test("answers a known position with what changed since", async () => {
    const mesh = await createTestMesh();
    const first = await mesh.connectNew({ publicKey: createPublicKey() });
    const view = createMeshView();
    view.take(first.answer);
    const second = await mesh.connectNew();
    const gone = await mesh.connectNew();
    await mesh.remove(gone.machineId);
    const answer = await hello(await connect(mesh, first.machineId), { position: view.position() });
    expect(answer).toMatchObject([
      { type: "sync.changes", since: view.position()?.revision, removed: [gone.machineId] },
    ]);
    const [changes] = answer;
    view.take(changes as FromMeshMessage);
    expect(view.machineIds()).toEqual([first.machineId, second.machineId].sort());
  });

  test("answers a position of another epoch, or one ahead of its own, with everything", async () => {
    const mesh = await createTestMesh();
    const { machineId, answer } = await mesh.connectNew();
    const epoch = answer.type === "sync.snapshot" ? answer.epoch : "";
    const ask = await connect(mesh, machineId);
    expect(await hello(ask, { position: { epoch: "other", revision: 1 } })).toMatchObject([{ type: "sync.snapshot" }]);
    expect(await hello(ask, { position: { epoch, revision: 999 } })).toMatchObject([{ type: "sync.snapshot" }]);
  });

  test("answers the heartbeat of an up-to-date member with the position, of a lagging one with what it misses", async () => {
    const mesh = await createTestMesh();
    const { machineId } = await mesh.addNew();
    const ask = await connect(mesh, machineId);
    const view = createMeshView();
    for (const message of await hello(ask)) view.take(message);
    const position = view.position();
    expect(await ask({ type: "sync.heartbeat", ...position })).toEqual([{ type: "sync.position", ...position }]);
    const before = { ...position, revision: (position?.revision ?? 0) - 1 };
    expect(await ask({ type: "sync.heartbeat", ...before })).toMatchObject([
      { type: "sync.changes", since: before.revision, changed: [{ machineId }] },
    ]);
  });

  test("refuses a public key that another member has, and stores nothing", async () => {
    const mesh = await createTestMesh();
    const publicKey = createPublicKey();
    await mesh.connectNew({ publicKey });
    const { machineId } = await mesh.addNew();
    const ask = await connect(mesh, machineId);
    expect(await hello(ask, { publicKey })).toMatchObject([{ type: "error", code: "key_taken" }]);
    expect(await mesh.mesh.getMember(machineId)).toMatchObject({ value: { publicKey: null } });
    expect(await hello(ask)).toMatchObject([{ type: "sync.snapshot" }]);
    expect(await ask({ type: "member.update", publicKey })).toMatchObject([{ type: "error", code: "key_taken" }]);
  });

  test("tells since when a member has its key, and another time only for another key", async () => {
    const mesh = await createTestMesh();
    const { machineId } = await mesh.addNew();
    const ask = await connect(mesh, machineId);
    const sinceOf = async () => {
      const member = await mesh.mesh.getMember(machineId);
      return member.ok ? member.value.keySince : null;
    };
    expect(await sinceOf()).toBeNull();
    const publicKey = createPublicKey();
    const start = Date.now();
    const [answer] = await hello(ask, { publicKey });
    const first = await sinceOf();
    expect(rowOf(answer, machineId)).toMatchObject({ keySinceMs: Date.parse(first ?? "") });
    expect(Date.parse(first ?? "")).toBeGreaterThanOrEqual(start);
    await hello(ask, { publicKey, candidates: [{ type: "host", endpoint: "192.0.2.9:51820" }] });
    expect(await sinceOf()).toBe(first);
    const [next] = await hello(ask);
    expect(rowOf(next, machineId)).not.toMatchObject({ publicKey });
    expect(Date.parse((await sinceOf()) ?? "")).toBeGreaterThanOrEqual(Date.parse(first ?? ""));
  });

  test("tells a member who could not be told anything now, and only that", async () => {
    const mesh = await createTestMesh();
    const { machineId } = await mesh.addNew();
    const ask = await connect(mesh, machineId);
    await hello(ask);
    const peer = await mesh.connectNew();
    const absent = await mesh.addNew();
    const [told] = await ask({ type: "presence.request" });
    expect(told).toEqual({ type: "presence.told", absentIds: [absent.machineId] });
    expect(peer.machineId).not.toBe(absent.machineId);
  });

  test("counts no change when hello and update say what is known, in whatever order", async () => {
    const mesh = await createTestMesh();
    const { machineId } = await mesh.addNew();
    const ask = await connect(mesh, machineId);
    const publicKey = createPublicKey();
    const candidates = ["192.0.2.1:51820", "192.0.2.2:51820"].map((endpoint) => ({ type: "host", endpoint }));
    const [snapshot] = await hello(ask, { publicKey, candidates });
    const position = { epoch: snapshot?.type === "sync.snapshot" ? snapshot.epoch : "", revision: 3 };
    expect(snapshot).toMatchObject(position);
    const again = await hello(ask, { publicKey, candidates: candidates.toReversed(), position });
    expect(again).toMatchObject([{ type: "sync.changes", revision: 3, changed: [], removed: [] }]);
  });

  test("keeps what a member has applied and what failed while it is connected", async () => {
    const mesh = await createTestMesh();
    const { machineId } = await mesh.addNew();
    const ask = await connect(mesh, machineId);
    const [snapshot] = await hello(ask);
    const epoch = snapshot?.type === "sync.snapshot" ? snapshot.epoch : "";
    const text = "€".repeat(64);
    const failure = { step: text, code: text, message: text.repeat(16), since: "2026-11-23T00:00:00Z" };
    await ask(
      { type: "sync.applied", epoch, revision: 3, failures: Array(16).fill(failure) },
      { type: "sync.heartbeat", epoch, revision: 3 },
    );
    const member = await mesh.mesh.getMember(machineId);
    expect(member).toMatchObject({ value: { online: true, appliedRevision: 3 } });
    expect(member.ok && member.value.failures).toHaveLength(16);
  });
});

describe("changes", () => {
  test("go to every connected member, once", async () => {
    const mesh = await createTestMesh();
    const members = [await mesh.connectNew(), await mesh.connectNew(), await mesh.connectNew()];
    const views = members.map(({ answer }) => {
      const view = createMeshView();
      view.take(answer);
      return view;
    });
    const isComplete = (view: (typeof views)[number]) => view.machineIds().length === 4;
    const newest = await mesh.connectNew();
    await Promise.all(
      members.map(({ socket }, index) => takeUntil(socket, views[index] as (typeof views)[0], isComplete)),
    );
    for (const { socket } of members) {
      const told = socket.received.flatMap((message) => (message.type === "sync.changes" ? message.changed : []));
      expect(told.filter(({ machineId }) => machineId === newest.machineId)).toHaveLength(1);
    }
    expect(newest.socket.received.map(({ type }) => type)).toEqual(["sync.snapshot"]);
  });

  test("of a key, of endpoints, of names, of a gateway and of the mesh arrive", async () => {
    const mesh = await createTestMesh();
    const watcher = await mesh.connectNew();
    const other = await mesh.connectNew();
    const view = createMeshView();
    view.take(watcher.answer);
    const publicKey = createPublicKey();
    const candidates = [{ type: "static", endpoint: "[2001:db8::1]:51820" }];
    other.socket.send({ type: "member.update", publicKey });
    await takeUntil(watcher.socket, view, () => view.row(other.machineId)?.publicKey === publicKey);
    other.socket.send({ type: "member.update", candidates });
    await takeUntil(watcher.socket, view, () => view.row(other.machineId)?.candidates.length === 1);
    expect(view.row(other.machineId)).toMatchObject({ publicKey, candidates });
    await mesh.mesh.renameMember(other.machineId, "new-box");
    await takeUntil(watcher.socket, view, () => view.row(other.machineId)?.name === "new-box");
    await mesh.mesh.changeSettings({ name: "new-office" });
    await takeUntil(watcher.socket, view, () => view.name() === "new-office");
    await mesh.mesh.setMemberGateway(other.machineId, true);
    await takeUntil(watcher.socket, view, () => view.row(other.machineId)?.isGateway === true);
    await mesh.mesh.changeSettings({ fallback: "transit" });
    await takeUntil(watcher.socket, view, () => view.fallback() === "transit");
    expect(view.name()).toBe("new-office");
  });

  test("that come together arrive together", async () => {
    const mesh = await createTestMesh();
    const watcher = await mesh.connectNew();
    const view = createMeshView();
    view.take(watcher.answer);
    const pollers = await Promise.all(
      Array.from({ length: 60 }, async () => mesh.poller((await mesh.addNew()).machineId)),
    );
    await Promise.all(pollers.map((poller) => poller.post(createHello())));
    await takeUntil(watcher.socket, view, () => view.machineIds().length === 61);
    expect(watcher.socket.received.length).toBeLessThan(30);
  });

  test("wake a waiting long-poll", async () => {
    const mesh = await createTestMesh();
    const { machineId } = await mesh.addNew();
    const poller = mesh.poller(machineId);
    const view = createMeshView();
    for (const message of await poller.post(createHello())) view.take(message);
    const { epoch, revision } = view.position() ?? { epoch: "", revision: 0 };
    const waiting = poller.poll({ epoch, since: revision, wait: 25 });
    const other = await mesh.connectNew();
    for (const message of await waiting) view.take(message);
    expect(view.machineIds()).toEqual([machineId, other.machineId].sort());
  });

  test("are no reason to wait when they are there already", async () => {
    const mesh = await createTestMesh();
    const { machineId } = await mesh.addNew();
    const poller = mesh.poller(machineId);
    expect(await poller.poll({ wait: 25 })).toMatchObject([{ type: "sync.snapshot", members: [] }]);
    const [snapshot] = await poller.post(createHello());
    const epoch = snapshot?.type === "sync.snapshot" ? snapshot.epoch : "";
    expect(await poller.poll({ epoch, since: 1, wait: 25 })).toMatchObject([{ type: "sync.changes", since: 1 }]);
    expect(await poller.poll({ epoch, since: 3, wait: 0 })).toEqual([]);
  });
});

describe("connections", () => {
  test("a newer poll of a machine replaces the older, which gets nothing", async () => {
    const mesh = await createTestMesh();
    const { machineId } = await mesh.addNew();
    const poller = mesh.poller(machineId);
    const [snapshot] = await poller.post(createHello());
    const epoch = snapshot?.type === "sync.snapshot" ? snapshot.epoch : "";
    const older = poller.poll({ epoch, since: 3, wait: 25 });
    const newer = poller.poll({ epoch, since: 3, wait: 25 });
    expect(await older).toEqual([]);
    const other = await mesh.connectNew();
    expect(await newer).toMatchObject([{ changed: [{ machineId: other.machineId }] }]);
  });

  test("a newer socket of a machine replaces the older, which is closed with 4409", async () => {
    const mesh = await createTestMesh();
    const { machineId, socket } = await mesh.connectNew();
    const newer = await openMeshSocket(toObject(mesh.mesh, machineId));
    expect(await socket.closed).toMatchObject({ code: 4409 });
    newer.send(createHello());
    expect(await newer.next()).toMatchObject({ type: "sync.snapshot" });
    expect(await mesh.mesh.getMember(machineId)).toMatchObject({ value: { online: true } });
  });

  test("text pings are answered", async () => {
    const { socket } = await (await createTestMesh()).connectNew();
    socket.sendText("ping");
    socket.send(createHello());
    await socket.next();
    expect(socket.pongs()).toBe(1);
  });

  test("a member that closed its socket was last seen then", async () => {
    const mesh = await createTestMesh();
    const before = Date.now();
    const { machineId, socket } = await mesh.connectNew();
    socket.close();
    await socket.closed;
    const { [machineId]: seenAt = 0 } = await mesh.mesh.readPresence([machineId]);
    expect(seenAt).toBeGreaterThanOrEqual(before);
    expect(await mesh.mesh.getMember(machineId)).toMatchObject({ value: { appliedRevision: null } });
  });
});

function rowOf(message: FromMeshMessage | undefined, machineId: MachineId) {
  const rows = message?.type === "sync.snapshot" ? message.members : [];
  return rows.find((row) => row.machineId === machineId);
}
