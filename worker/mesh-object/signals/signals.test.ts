// What members tell each other through the mesh, from every transport to every transport.
import { evictDurableObject } from "cloudflare:test";
import { decodeJwt } from "jose";
import { describe, expect, test } from "vitest";
import { Endpoint } from "#schema/address";
import type { MachineId } from "#schema/ids";
import { createHello, createMachineId } from "../../testing/fake-agent.ts";
import { connectMember, type TestMember, TRANSPORTS, type TransportName } from "../../testing/test-member.ts";
import { createTestMesh, type TestMesh } from "../../testing/test-mesh.ts";
import { createSignalLimits, handleSignal, type Signal, type SignalContext } from "./signals.ts";

const ENDPOINT = Endpoint.parse("198.51.100.7:51820");
const punch = (peerId: string, kind = "checks") => ({ type: "punch.request", peerId, kind });
const PAIRS = TRANSPORTS.flatMap((from) => TRANSPORTS.map((to): [TransportName, TransportName] => [from, to]));

describe.each(PAIRS)("from %s to %s", (from, to) => {
  async function connectPair(mesh: TestMesh): Promise<{ asker: TestMember; peer: TestMember }> {
    return { asker: await connectMember(mesh, from), peer: await connectMember(mesh, to) };
  }

  test("a punch reaches the peer, with its kind and nothing else that the asker says", async () => {
    const { asker, peer } = await connectPair(await createTestMesh());
    const candidates = [{ type: "stun", endpoint: "198.51.100.7:51820" }];
    await asker.send({ ...punch(peer.machineId), candidates }, punch(peer.machineId, "birthday"));
    const punched = { type: "punch.requested", peerId: asker.machineId };
    expect(await peer.next("punch.requested")).toEqual({ ...punched, kind: "checks" });
    expect(await peer.next("punch.requested")).toEqual({ ...punched, kind: "birthday" });
    expect(await asker.drain()).not.toContainEqual(expect.objectContaining({ type: "error" }));
  });

  test("both sides of a relay get a ticket that is theirs", async () => {
    const mesh = await createTestMesh();
    const { asker, peer } = await connectPair(mesh);
    await asker.send({ type: "relay.request", peerId: peer.machineId });
    const [own, invitation] = [await asker.next("relay.ticket"), await peer.next("relay.ticket")];
    expect(own).toMatchObject({ peerId: peer.machineId, isInvitation: false });
    expect(invitation).toMatchObject({ peerId: asker.machineId, isInvitation: true });
    const iss = mesh.settings.id;
    expect(decodeJwt(own.ticket)).toMatchObject({ iss, sub: asker.machineId, peer: peer.machineId });
    expect(decodeJwt(invitation.ticket)).toMatchObject({ iss, sub: peer.machineId, peer: asker.machineId });
  });

  test("an observed endpoint reaches the peer that was seen there, and nobody else", async () => {
    const mesh = await createTestMesh();
    const { asker, peer } = await connectPair(mesh);
    const other = await connectMember(mesh, to);
    const endpoint = "[2001:db8::7]:40000";
    await asker.send({ type: "peer.observed", peerId: peer.machineId, endpoint });
    const observed = { type: "endpoint.observed", endpoint, observedBy: asker.machineId };
    expect(await peer.next("endpoint.observed")).toEqual(observed);
    expect(await other.drain()).not.toContainEqual(observed);
  });
});

describe.each(TRANSPORTS)("over %s", (transport) => {
  test("a machine that is no peer is refused by name, whatever is sent to it", async () => {
    const mesh = await createTestMesh();
    const elsewhere = await connectMember(await createTestMesh(), transport);
    const member = await connectMember(mesh, transport);
    for (const peerId of [elsewhere.machineId, createMachineId(), member.machineId]) {
      const refusal = { code: "member_not_found", message: `${peerId} is no peer in this mesh` };
      await member.send(punch(peerId));
      expect(await member.next("error")).toMatchObject(refusal);
      await member.send({ type: "peer.observed", peerId, endpoint: "192.0.2.1:1" });
      expect(await member.next("error")).toMatchObject(refusal);
      await member.send({ type: "relay.request", peerId });
      expect(await member.next("relay.refused")).toMatchObject({ peerId, ...refusal });
    }
    expect((await elsewhere.drain()).map(({ type }) => type)).not.toContain("punch.requested");
  });

  test("a peer that is not connected can't be invited, and a punch to it is nothing", async () => {
    const mesh = await createTestMesh();
    const member = await connectMember(mesh, transport);
    const { machineId: peerId } = await mesh.addNew();
    await member.send(punch(peerId), { type: "relay.request", peerId });
    expect(await member.next("relay.refused")).toEqual({
      type: "relay.refused",
      peerId,
      code: "peer_offline",
      message: "the peer is not connected to the control plane, so it can't be invited",
    });
    expect((await member.drain()).filter(({ type }) => type === "error")).toEqual([]);
  });

  test("a socket that has not said hello hears nothing of it", async () => {
    const mesh = await createTestMesh();
    const member = await connectMember(mesh, transport);
    const { machineId: peerId } = await mesh.addNew();
    const silent = await mesh.socket(peerId);
    await member.send({ type: "relay.request", peerId });
    expect(await member.next("relay.refused")).toMatchObject({ code: "peer_offline" });
    expect(silent.received).toEqual([]);
  });

  test.each([
    ["relay", true],
    ["relay-then-transit", true],
    ["transit-then-relay", true],
    ["transit", false],
  ] as const)("whether there are relays is the mesh's fallback: %s", async (fallback, isAllowed) => {
    const mesh = await createTestMesh({ fallback });
    const [member, peer] = [await connectMember(mesh, transport), await connectMember(mesh, transport)];
    await member.send({ type: "relay.request", peerId: peer.machineId });
    if (isAllowed) expect(await peer.next("relay.ticket")).toMatchObject({ isInvitation: true });
    else expect(await member.next("relay.refused")).toMatchObject({ code: "relay_not_allowed" });
  });
});

describe("a flood", () => {
  const typesOf = (messages: readonly { type: string }[], type: string) =>
    messages.filter((message) => message.type === type).length;

  test("of punches reaches the peer about ten times, and does not hold up another peer's", async () => {
    const mesh = await createTestMesh();
    const [member, peer, other] = await connectThree(mesh);
    await member.send(...Array(60).fill(punch(peer.machineId)), punch(other.machineId));
    expect(await other.next("punch.requested")).toMatchObject({ peerId: member.machineId });
    const arrived = typesOf(await peer.drain(), "punch.requested");
    expect([arrived >= 10, arrived < 15]).toEqual([true, true]);
    expect(await member.next("error")).toMatchObject({ code: "rate_limited" });
  });

  test("of birthday punches reaches the pair once in ten seconds, whichever side asks", async () => {
    const mesh = await createTestMesh();
    const [member, peer] = await connectThree(mesh);
    await member.send(punch(peer.machineId, "birthday"), punch(peer.machineId, "birthday"));
    expect(await member.next("error")).toMatchObject({ code: "rate_limited" });
    await peer.send(punch(member.machineId, "birthday"));
    expect(await peer.next("error")).toMatchObject({ code: "rate_limited" });
    expect(typesOf(await member.drain(), "punch.requested")).toBe(0);
  });

  test("of relay requests gets about ten tickets, then refusals", async () => {
    const mesh = await createTestMesh();
    const [member, peer] = await connectThree(mesh);
    await member.send(...Array(40).fill({ type: "relay.request", peerId: peer.machineId }));
    expect(await member.next("relay.refused")).toMatchObject({ peerId: peer.machineId, code: "rate_limited" });
    for (let count = 0; count < 10; count++) await peer.next("relay.ticket");
    expect(typesOf(await peer.drain(), "relay.ticket")).toBeLessThan(3);
  });

  test("of observations reaches the peer three times, silently", async () => {
    const mesh = await createTestMesh();
    const [member, peer] = await connectThree(mesh);
    await member.send(...Array(40).fill({ type: "peer.observed", peerId: peer.machineId, endpoint: "192.0.2.1:1" }));
    expect(typesOf(await member.drain(), "error")).toBe(0);
    expect(typesOf(await peer.drain(), "endpoint.observed")).toBe(3);
  });

  test("to a machine between two polls keeps the newest few of it", async () => {
    const mesh = await createTestMesh();
    const members = await Promise.all(Array.from({ length: 4 }, () => connectMember(mesh, "socket")));
    const polling = await connectMember(mesh, "long-poll");
    for (const member of members) {
      await member.send(...Array(8).fill(punch(polling.machineId)));
      await member.drain();
    }
    const arrived = (await polling.drain()).filter(({ type }) => type === "punch.requested");
    expect(arrived).toHaveLength(16);
    expect(arrived.at(-1)).toMatchObject({ peerId: members.at(-1)?.machineId });
    expect(typesOf(await polling.drain(), "punch.requested")).toBe(0);
  });

  test("to many peers is bounded for its sender", () => {
    const peers = Array.from({ length: 500 }, createMachineId);
    const [machineId, other] = [createMachineId(), createMachineId()];
    const settings = { fallback: "relay" };
    const context = {
      ...{ storage: { readMember: () => ({}) }, mesh: { settings }, isOnline: () => true, nowMs: 0 },
      signalLimits: createSignalLimits(),
    } as unknown as Omit<SignalContext, "machineId">;
    const count = (from: MachineId, toSignal: (peerId: MachineId) => Signal) =>
      peers.flatMap((peerId) => handleSignal({ ...context, machineId: from }, toSignal(peerId)).tells).length;
    const observation = (peerId: MachineId): Signal => ({ type: "peer.observed", peerId, endpoint: ENDPOINT });
    expect(count(machineId, (peerId) => ({ type: "punch.request", peerId, kind: "birthday" }))).toBe(64);
    expect(count(machineId, (peerId) => ({ type: "punch.request", peerId, kind: "checks" }))).toBe(0);
    expect(count(machineId, observation)).toBe(64);
    expect(count(other, (peerId) => ({ type: "punch.request", peerId, kind: "checks" }))).toBe(128);
    expect(count(other, observation)).toBe(64);
  });

  const connectThree = (mesh: TestMesh) =>
    Promise.all([connectMember(mesh, "socket"), connectMember(mesh, "socket"), connectMember(mesh, "socket")]);
});

test("a batch is answered with as many messages as a batch may have, hello's answer among them", async () => {
  const mesh = await createTestMesh();
  const { machineId } = await mesh.addNew();
  const answers = await mesh.poller(machineId).post(createHello(), ...Array(31).fill(punch(createMachineId())));
  expect(answers).toHaveLength(32);
  expect(answers.at(-1)).toMatchObject({ type: "sync.snapshot" });
});

test("a message that a machine missed while it polled comes with its hello on a socket", async () => {
  const mesh = await createTestMesh();
  const member = await connectMember(mesh, "socket");
  const polling = await connectMember(mesh, "long-poll");
  await member.send(punch(polling.machineId));
  await member.drain();
  const { machineId } = polling;
  const socket = await connectMember(mesh, "socket", { machineId });
  expect(await socket.next("punch.requested")).toMatchObject({ peerId: member.machineId });
});

test("a socket hears what is for it after the object was evicted", async () => {
  const mesh = await createTestMesh();
  const [member, peer] = [await connectMember(mesh, "socket"), await connectMember(mesh, "socket")];
  await evictDurableObject(mesh.stub);
  await member.send(punch(peer.machineId), { type: "relay.request", peerId: peer.machineId });
  expect(await peer.next("punch.requested")).toMatchObject({ peerId: member.machineId });
  expect(await peer.next("relay.ticket")).toMatchObject({ peerId: member.machineId });
  expect(await member.next("relay.ticket")).toMatchObject({ peerId: peer.machineId });
});
