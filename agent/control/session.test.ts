import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AnnouncementRow, DesiredMesh, Duty } from "#schema/desired-state";
import { NO_POLICIES, Policies } from "#schema/policy";
import { type FromMeshMessage, SyncSnapshot } from "#schema/wire/messages";
import { createMeshModel, testMachineId, testMeshId, testPeer } from "../testing/mesh-model.ts";
import {
  createSession,
  isSessionMessage,
  type SessionInput,
  type SessionMessage,
  type SessionOutput,
  type SessionState,
  stepSession,
} from "./session.ts";

describe("a session", () => {
  test("says that it knows nothing when it knows nothing, and takes the snapshot", () => {
    const { model, session } = setUp();
    expect(session.input({ type: "opened" })).toEqual([{ type: "send_hello", position: null }]);
    expect(session.receive(model.answerHello(null))).toEqual([{ type: "changed" }]);
    expect(session.state().desired).toEqual(model.desired());
  });

  test("says where it stands when it comes back, and applies only what changed", () => {
    const { model, session } = setUp();
    session.receive(model.answerHello(null));
    const position = { epoch: "epoch-1", revision: 1 };
    model.put(3, 1);
    expect(session.input({ type: "opened" })).toEqual([{ type: "send_hello", position }]);
    session.receive(model.answerHello(position));
    expect(session.state().desired?.members).toEqual([testPeer(3, 1)]);
  });

  test("applies changes on its own position, and on an older one", () => {
    const { model, session } = setUp();
    session.receive(model.answerHello(null));
    const first = model.put(1, 0);
    session.receive(first);
    model.put(2, 0);
    expect(session.receive(model.answerHello({ epoch: first.epoch, revision: 1 }))).toEqual([{ type: "changed" }]);
    expect(session.state().desired).toEqual(model.desired());
  });

  test("keeps the rows that did not change", () => {
    const { model, session } = setUp();
    for (let index = 0; index < 9; index++) model.put(index, 0);
    session.receive(model.answerHello(null));
    const before = session.state().desired?.members ?? [];
    session.receive(model.put(4, 1));
    session.receive(model.remove(2));
    const kept = session.state().desired?.members.filter((row) => before.includes(row)) ?? [];
    expect(kept.map(({ name }) => name)).toEqual(["m0", "m1", "m3", "m5", "m6", "m7", "m8"]);
  });

  test("follows announcements: changed, withdrawn, and this machine's own, with its policies", () => {
    const { model, session } = setUp();
    session.receive(model.answerHello(null));
    const [lan, vip] = [announcement("rt", 2), announcement("vip", 1)];
    const duties = [Duty.parse({ id: lan.id })];
    const preferring = { rules: [], defaultAction: "accept", defaultLocalPreference: 50 };
    const policies = Policies.parse({ export: preferring });
    session.receive({ ...model.put(1, 0), announcements: [vip, lan], duties, policies });
    expect(session.state().desired).toMatchObject({ announcements: [lan, vip], duties, policies });
    session.receive(model.put(2, 0));
    expect(session.state().desired).toMatchObject({ announcements: [lan, vip], duties, policies });
    const withdrawn = { ...lan, prefixes: [], machineIds: [] };
    session.receive({ ...model.put(3, 0), announcements: [withdrawn], duties: [] });
    expect(session.state().desired).toMatchObject({ announcements: [vip], duties: [], policies: NO_POLICIES });
    const snapshot = { ...SyncSnapshot.parse(model.answerHello(null)), epoch: "epoch-2" };
    session.receive({ ...snapshot, announcements: [lan], duties, policies });
    expect(session.state().desired).toMatchObject({ announcements: [lan], duties, policies });
  });

  test("asks for everything when an agent kept its state that knew of no announcements", () => {
    const { model } = setUp();
    const { announcements, duties, ...old } = model.desired();
    const session = drive(createSession(model.meshId, DesiredMesh.parse(JSON.parse(JSON.stringify(old)))));
    expect(session.input({ type: "opened" })).toEqual([{ type: "send_hello", position: null }]);
    session.receive(model.put(1, 0));
    expect(session.input({ type: "heartbeat_due" })).toEqual([{ type: "send_hello", position: null }]);
    session.receive(model.answerHello(null));
    expect(session.input({ type: "heartbeat_due" })).toMatchObject([{ type: "send_heartbeat" }]);
  });

  test("asks again, once, when changes are missing in between", () => {
    const { model, session } = setUp();
    session.receive(model.answerHello(null));
    model.put(1, 0);
    expect(session.receive(model.put(2, 0))).toEqual([
      { type: "send_hello", position: { epoch: "epoch-1", revision: 1 } },
    ]);
    expect(session.receive(model.put(3, 0))).toEqual([]);
    expect(session.state().desired?.members).toEqual([]);
  });

  test("ignores the same changes again, and older ones", () => {
    const { model, session } = setUp();
    session.receive(model.answerHello(null));
    const first = model.put(1, 0);
    const second = model.remove(1);
    session.receive(first);
    session.receive(second);
    expect(session.receive(first)).toEqual([]);
    expect(session.receive(second)).toEqual([]);
    expect(session.state().desired).toEqual(model.desired());
  });

  test("does not go back to an older snapshot of the same epoch by itself, but asks for everything", () => {
    const { model, session } = setUp();
    const late = model.answerHello(null);
    model.put(1, 0);
    session.receive(model.answerHello(null));
    expect(session.receive(late)).toContainEqual({ type: "send_hello", position: null });
    expect(session.state().desired).toEqual(model.desired());
  });

  test("follows an object that lost its newest changes, when the object insists", () => {
    const { model, session } = setUp();
    const rolledBack = model.answerHello(null);
    model.put(1, 0);
    session.receive(model.answerHello(null));
    session.receive(rolledBack);
    expect(session.receive(rolledBack)).toEqual([{ type: "changed" }]);
    expect(session.state().desired?.revision).toBe(1);
  });

  test("takes the snapshot of another epoch though its revision is lower", () => {
    const { model, session } = setUp();
    for (let index = 0; index < 5; index++) model.put(index, 0);
    session.receive(model.answerHello(null));
    model.restore(2);
    session.receive(model.answerHello({ epoch: "epoch-1", revision: 6 }));
    expect(session.state().desired).toEqual(model.desired());
  });

  test("asks for what it misses when the object's position is ahead", () => {
    const { model, session } = setUp();
    session.receive(model.answerHello(null));
    model.put(1, 0);
    expect(session.receive({ type: "sync.position", epoch: "epoch-1", revision: 2 })).toHaveLength(1);
  });

  test("leaves the mesh when told, and only for its own mesh", () => {
    const { session } = setUp();
    const elsewhere = session.receive({ type: "mesh.left", meshId: testMeshId(9), reason: "removed" });
    expect(elsewhere).toMatchObject([{ type: "note" }]);
    const here = session.receive({ type: "mesh.left", meshId: testMeshId(0), reason: "mesh_deleted" });
    expect(here).toEqual([{ type: "left", reason: "mesh_deleted" }]);
  });

  test("refuses the snapshot and the settings of another mesh", () => {
    const { model, session } = setUp();
    expect(session.receive(createMeshModel(7).answerHello(null))).toMatchObject([{ type: "note", level: "warn" }]);
    session.receive(model.answerHello(null));
    const foreign = createMeshModel(7);
    session.receive({ ...model.rename(2), mesh: foreign.desired().mesh });
    expect(session.state().desired?.mesh.name).toBe("mesh-0");
  });

  test("heartbeat asks again when an answer got lost", () => {
    const { model, session } = setUp();
    session.input({ type: "opened" });
    expect(session.input({ type: "heartbeat_due" })).toEqual([{ type: "send_hello", position: null }]);
    session.receive(model.answerHello(null));
    expect(session.input({ type: "heartbeat_due" })).toEqual([
      { type: "send_heartbeat", position: { epoch: "epoch-1", revision: 1 } },
    ]);
  });
});

describe("messages about paths", () => {
  const peerId = testMachineId(2);
  test.each<FromMeshMessage>([
    { type: "punch.requested", peerId, kind: "checks" },
    { type: "relay.ticket", peerId, ticket: "t", isInvitation: true },
    { type: "relay.refused", peerId, code: "peer_offline", message: "" },
    { type: "endpoint.observed", observedBy: peerId, endpoint: "192.0.2.1:1" as never },
    { type: "telemetry.watch", seconds: 5 },
    { type: "transit.set", pairs: [] },
  ])("are nothing for the session: $type", (message) => {
    expect(isSessionMessage(message)).toBe(false);
  });

  test("are told from those about the mesh's state", () => {
    const { model } = setUp();
    const state: FromMeshMessage[] = [
      model.answerHello(null),
      model.put(2, 0),
      model.answerHeartbeat({ epoch: "epoch-1", revision: model.desired().revision }),
      { type: "mesh.left", meshId: model.meshId, reason: "removed" },
      { type: "error", code: "rate_limited", message: "" },
    ];
    expect(state.map(isSessionMessage)).toEqual(state.map(() => true));
  });
});

describe("any interleaving of delivered, doubled, dropped and reordered messages", () => {
  test("passes only through states that the mesh really had, and ends at its newest", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 80 }), (events) => runHistory(events)),
      { numRuns: 3_000 },
    );
  });
});

type Event = { readonly kind: string; readonly a: number; readonly b: number };
const event: fc.Arbitrary<Event> = fc.record({
  kind: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom("put", "remove") },
    { weight: 8, arbitrary: fc.constantFrom("toAgent", "toObject") },
    { weight: 3, arbitrary: fc.constantFrom("doubleToAgent", "dropToAgent", "dropToObject", "heartbeat") },
    { weight: 1, arbitrary: fc.constantFrom("rename", "restore", "forget", "reconnect") },
  ),
  a: fc.nat({ max: 5 }),
  b: fc.nat({ max: 5 }),
});

function runHistory(events: readonly Event[]): void {
  const { model, session } = setUp();
  const toAgent: SessionMessage[] = [];
  const toObject: SessionOutput[] = [];
  const pick = <T>(list: T[], index: number): T | undefined => list.splice(index % Math.max(list.length, 1), 1)[0];
  const push = (message: SessionMessage) => toAgent.push(message);
  const feed = (input: SessionInput) => {
    toObject.push(...session.input(input).filter((output) => output.type.startsWith("send_")));
    const { desired } = session.state();
    if (desired !== null) expect(desired).toEqual(model.history().get(`${desired.epoch}/${desired.revision}`));
  };
  const answer = (output: SessionOutput | undefined) => {
    if (output?.type === "send_hello") push(model.answerHello(output.position));
    if (output?.type === "send_heartbeat") push(model.answerHeartbeat(output.position));
  };
  const deliver = (message: SessionMessage | undefined) => {
    if (message !== undefined) feed({ type: "received", message });
  };

  feed({ type: "opened" });
  for (const { kind, a, b } of events) {
    if (kind === "put") push(model.put(a, b));
    else if (kind === "remove") push(model.remove(a));
    else if (kind === "rename") push(model.rename(b));
    else if (kind === "restore") model.restore(a + 1);
    else if (kind === "forget") model.forgetTombstones();
    else if (kind === "toAgent") deliver(pick(toAgent, a));
    else if (kind === "toObject") answer(pick(toObject, a));
    else if (kind === "doubleToAgent") toAgent.push(...toAgent.slice(a, a + 1));
    else if (kind === "dropToAgent") pick(toAgent, a);
    else if (kind === "dropToObject") pick(toObject, a);
    else if (kind === "heartbeat") feed({ type: "heartbeat_due" });
    else {
      toAgent.length = 0;
      toObject.length = 0;
      feed({ type: "opened" });
    }
  }
  // From here on the network is well: everything arrives in order, and the heartbeat comes as it should.
  for (let round = 0; round < 3; round++) {
    feed({ type: "heartbeat_due" });
    for (let limit = 0; toAgent.length + toObject.length > 0 && limit < 1_000; limit++) {
      answer(toObject.shift());
      deliver(toAgent.shift());
    }
  }
  expect([toAgent, toObject]).toEqual([[], []]);
  expect(session.state().desired).toEqual(model.desired());
}

function setUp() {
  const model = createMeshModel(0);
  return { model, session: drive(createSession(model.meshId, null)) };
}

function drive(initial: SessionState) {
  let state = initial;
  const input = (next: SessionInput) => {
    const step = stepSession(state, next);
    state = step.state;
    return step.outputs;
  };
  const receive = (message: SessionMessage) => input({ type: "received", message: structuredClone(message) });
  return { input, receive, state: (): { desired: DesiredMesh | null } => state };
}

const announcement = (kind: "rt" | "vip", machine: number) =>
  AnnouncementRow.parse({
    id: testMeshId(machine).replace("msh", kind),
    prefixes: [`192.168.${machine}.0/24`],
    machineIds: [testMachineId(machine)],
  });
