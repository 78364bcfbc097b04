// What a member may send and not get away with. Whatever it is: a closed socket or a 4xx with a reason, never a crash, and never a
// change of anybody else's row.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_MACHINE_MESSAGE_BYTES } from "#schema/limits";
import { WIRE_VERSION } from "#schema/wire/version";
import { createHello, createMachineId, createPublicKey, toObject } from "../testing/fake-agent.ts";
import { connectMember } from "../testing/test-member.ts";
import { createTestMesh, type TestMesh } from "../testing/test-mesh.ts";

const hello = createHello();
const faults: [string, string | ArrayBuffer, string][] = [
  ["no JSON", "{", "malformed_json: not JSON"],
  ["binary", new Uint8Array([123, 125]).buffer, "bad_request: messages are JSON text"],
  ["too long", JSON.stringify({ ...hello, more: "x".repeat(MAX_MACHINE_MESSAGE_BYTES) }), "body_too_large"],
  ["too long in bytes", JSON.stringify({ more: "€".repeat(MAX_MACHINE_MESSAGE_BYTES / 3) }), "body_too_large"],
  ["no object", "[]", "validation_failed"],
  ["no type", "{}", "validation_failed: type"],
  ["a bad key", JSON.stringify({ ...hello, publicKey: "x" }), "publicKey: must be a WireGuard public key"],
  ["17 candidates", JSON.stringify(createHello({ candidates: Array(17).fill(0).map(toCandidate) })), "candidates"],
  [
    "a bad endpoint",
    JSON.stringify(createHello({ candidates: [{ type: "host", endpoint: "é" }] })),
    "candidates.0.endpoint",
  ],
];

describe("a socket is closed with 4400 and the fault on", () => {
  test.each(faults)("%s", async (_, frame, reason) => {
    const mesh = await createTestMesh();
    const { socket } = await mesh.connectNew();
    socket.sendText(frame);
    const closed = await socket.closed;
    expect(closed.code).toBe(4400);
    expect(closed.reason).toContain(reason);
    expect(new TextEncoder().encode(closed.reason).length).toBeLessThanOrEqual(123);
  });
});

describe("a POST is refused with the fault on", () => {
  test.each([
    ["no JSON", "{", 400, "malformed_json"],
    ["no batch", "[]", 422, "validation_failed"],
    ["33 messages", JSON.stringify({ messages: Array(33).fill(hello) }), 422, "validation_failed"],
    ["a bad message", JSON.stringify({ messages: [{ ...hello, publicKey: 7 }] }), 422, "validation_failed"],
    ["a body that is too long", " ".repeat(MAX_MACHINE_MESSAGE_BYTES + 1), 413, "body_too_large"],
    [
      "another wire version",
      JSON.stringify({ messages: [{ ...hello, wireVersion: 99 }] }),
      426,
      "wire_version_unsupported",
    ],
  ])("%s", async (_, body, status, code) => {
    const mesh = await createTestMesh();
    const { machineId } = await mesh.addNew();
    const response = await toObject(mesh.mesh, machineId)({ method: "POST", body });
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(await response.json()).toMatchObject({ code, status, requestId: "req_test" });
  });

  test("a query that is none", async () => {
    const mesh = await createTestMesh();
    const { machineId } = await mesh.addNew();
    const query = { epoch: "e", since: "yesterday", wait: 99 };
    const response = await toObject(mesh.mesh, machineId)({ method: "GET", query });
    expect(await response.json()).toMatchObject({ status: 422, errors: [{ path: "since" }, { path: "wait" }] });
  });
});

test("another wire version closes with 4426", async () => {
  const { socket } = await (await createTestMesh()).connectNew();
  socket.send({ ...hello, wireVersion: 99 });
  expect(await socket.closed).toMatchObject({ code: 4426 });
});

test("messages of unknown type are ignored, unknown fields too", async () => {
  const mesh = await createTestMesh();
  const { machineId, socket } = await mesh.connectNew();
  socket.send({ type: "link.paint", anything: [] });
  socket.send({ ...createHello(), more: { of: "it" } });
  expect(await socket.next()).toMatchObject({ type: "sync.snapshot" });
  expect(await mesh.poller(machineId).post({ type: "link.paint" })).toEqual([]);
});

test("too many updates are refused, what came before them counts, and the connection stays", async () => {
  const mesh = await createTestMesh();
  const member = await connectMember(mesh, "socket");
  const { machineId } = member;
  const keys = Array.from({ length: 60 }, createPublicKey);
  await member.send(...keys.map((publicKey) => ({ type: "member.update", publicKey })));
  expect(await member.next("error")).toMatchObject({ code: "too_many_updates" });
  await member.drain();
  const kept = await mesh.mesh.getMember(machineId);
  const index = keys.indexOf((kept.ok ? kept.value.publicKey : null) ?? createPublicKey());
  expect([index > 20, index < 40]).toEqual([true, true]);
});

test("too many hellos and heartbeats close with 4429", async () => {
  const mesh = await createTestMesh();
  const { machineId, socket } = await mesh.connectNew();
  for (let count = 0; count < 60; count++) socket.send({ type: "sync.heartbeat", epoch: "e", revision: 1 });
  expect(await socket.closed).toMatchObject({ code: 4429 });
  const poll = await toObject(
    mesh.mesh,
    machineId,
  )({
    method: "POST",
    body: JSON.stringify({ messages: Array(32).fill(hello) }),
  });
  expect(poll.status).toBe(429);
});

test.each([
  ["no position", () => ({})],
  ["a position of another epoch", () => ({ epoch: "other", since: 1 })],
])("polls with %s are bounded, as each is answered with the whole mesh", async (_, toQuery) => {
  const mesh = await createTestMesh();
  const { machineId, answer } = await mesh.connectNew();
  const send = (query: Record<string, string | number>) => toObject(mesh.mesh, machineId)({ method: "GET", query });
  const statuses: number[] = [];
  for (let count = 0; count < 60; count++) {
    const response = await send(toQuery());
    statuses.push(response.status);
    if (response.status === 429) expect(response.headers.get("retry-after")).toBe("1");
    await response.text();
  }
  expect(statuses.filter((status) => status === 200).length).toBeLessThan(40);
  expect(new Set(statuses)).toEqual(new Set([200, 429]));
  const { epoch, revision } = answer.type === "sync.snapshot" ? answer : { epoch: "", revision: 0 };
  expect((await send({ epoch, since: revision, wait: 0 })).status).toBe(200);
});

test("a batch of hellos gets one answer", async () => {
  const mesh = await createTestMesh();
  const { machineId } = await mesh.addNew();
  expect(await mesh.poller(machineId).post(...Array(20).fill(hello))).toHaveLength(1);
});

test("whatever a member sends, the object lives and the others' rows are as they were", async () => {
  const mesh = await createTestMesh();
  const victim = await mesh.connectNew();
  const before = await mesh.mesh.getMember(victim.machineId);
  await fc.assert(
    fc.asyncProperty(hostileMessage(victim.machineId), async (message) => {
      const { machineId } = await mesh.addNew();
      const [body, frame] = [JSON.stringify({ messages: [message] }), JSON.stringify(message)];
      const response = await toObject(mesh.mesh, machineId)({ method: "POST", body });
      expect(response.status === 200 || (response.status >= 400 && response.status < 500)).toBe(true);
      await response.text();
      await expectLivelyOrClosed(mesh, machineId, frame);
    }),
    { numRuns: 150 },
  );
  const after = await mesh.mesh.getMember(victim.machineId);
  // When it was seen, and how far the mesh is, are not its row.
  const toRow = (member: typeof after) => member.ok && { ...member.value, lastSeenAt: null, meshRevision: null };
  expect(toRow(after)).toEqual(toRow(before));
}, 30_000);

async function expectLivelyOrClosed(mesh: TestMesh, machineId: Parameters<TestMesh["socket"]>[0], frame: string) {
  const socket = await mesh.socket(machineId);
  socket.sendText(frame);
  socket.send({ type: "sync.heartbeat", epoch: "e", revision: 1 });
  const answer = await Promise.race([socket.next(), socket.closed]);
  if ("code" in answer && "reason" in answer) expect([4400, 4426, 4429]).toContain(answer.code);
  socket.close();
}

const HOSTILE_TYPES = [
  ...["sync.hello", "member.update", "sync.applied", "sync.heartbeat", "mesh.left", "__proto__", "punch.request"],
  ...["relay.request", "peer.observed", "link.report", "telemetry.report", "transit.request", "transit.set"],
];

/** Messages of the wire with parts replaced by anything, foreign ids and prototype names among it. */
function hostileMessage(victim: string): fc.Arbitrary<unknown> {
  const epoch = fc.constantFrom("e", "", "x".repeat(100));
  const anything = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom<unknown>(victim, createMachineId(), -1, 1e300, "__proto__", "' OR 1=1 --", "\ud800", null, [], {}),
  );
  const field = <T>(valid: T) =>
    fc.oneof({ weight: 2, arbitrary: fc.constant<unknown>(valid) }, { weight: 1, arbitrary: anything });
  return fc.oneof(
    anything,
    fc.record({
      type: fc.constantFrom(...HOSTILE_TYPES),
      machineId: fc.constant(victim),
      wireVersion: field(WIRE_VERSION),
      peerId: field(victim),
      gatewayId: field(victim),
      kind: field("birthday"),
      endpoint: field("192.0.2.1:51820"),
      links: field([
        { peerId: victim, kind: "down", path: "none", endpoint: null, reason: {}, at: "2026-11-25T10:00:00Z" },
      ]),
      nat: field({ mapping: "none", filtering: "unknown", isUdpOpen: true }),
      answersChecks: field(false),
      peers: field([]),
      endpoints: field([]),
      isSteady: field(true),
      position: fc.oneof(anything, fc.record({ epoch, revision: field(3) })),
      publicKey: field(createPublicKey()),
      candidates: field([toCandidate()]),
      epoch,
      revision: field(3),
      failures: field([]),
    }),
  );
}

function toCandidate() {
  return { type: "host", endpoint: "192.0.2.1:51820" };
}
