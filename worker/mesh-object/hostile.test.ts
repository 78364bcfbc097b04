// What a member may send and not get away with, fault by fault: a closed socket or a 4xx with a reason. What nobody thought of is tried in
// durable/hostile-frames.test.ts.
import { describe, expect, test } from "vitest";
import { MAX_MACHINE_MESSAGE_BYTES } from "#schema/limits";
import { createHello, createPublicKey, toObject } from "../testing/fake-agent.ts";
import { connectMember } from "../testing/test-member.ts";
import { createTestMesh } from "../testing/test-mesh.ts";

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

test("too many reports of health checks close with 4429", async () => {
  const mesh = await createTestMesh();
  const { socket } = await mesh.connectNew();
  for (let count = 0; count < 90; count++) socket.send({ type: "checks.report", checks: [], isAll: false });
  expect(await socket.closed).toMatchObject({ code: 4429, reason: expect.stringContaining("reports of checks") });
});

test("who asks who is absent again and again gets no answer any more", async () => {
  const mesh = await createTestMesh();
  const { machineId } = await mesh.addNew();
  const answers = await mesh.poller(machineId).post(...Array(32).fill({ type: "presence.request" }));
  expect(new Set(answers.map(({ type }) => type))).toEqual(new Set(["presence.told"]));
  expect(answers.length).toBeGreaterThanOrEqual(10);
  expect(answers.length).toBeLessThan(20);
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

function toCandidate() {
  return { type: "host", endpoint: "192.0.2.1:51820" };
}
