// Pairs that talk through a gateway: who may, who is told, and when it ends.
import { describe, expect, test } from "vitest";
import type { MachineId } from "#schema/ids";
import { createMachineId } from "../../testing/fake-agent.ts";
import { connectMember, type TestMember, TRANSPORTS, type TransportName } from "../../testing/test-member.ts";
import { createTestMesh, type TestMesh } from "../../testing/test-mesh.ts";

const request = (peerId: MachineId, ...gatewayIds: MachineId[]) => ({ type: "transit.request", peerId, gatewayIds });

interface Party {
  readonly mesh: TestMesh;
  readonly one: TestMember;
  readonly other: TestMember;
  readonly gateway: TestMember;
}

async function createParty(transport: TransportName = "socket"): Promise<Party> {
  const mesh = await createTestMesh({ fallback: "relay-then-transit" });
  const connect = async () => {
    const member = await connectMember(mesh, transport);
    expect(await member.next("transit.set")).toEqual({ type: "transit.set", pairs: [] });
    return member;
  };
  const party = { mesh, one: await connect(), other: await connect(), gateway: await connect() };
  await mesh.mesh.setMemberGateway(party.gateway.machineId, true);
  return party;
}

async function agree({ one, other, gateway }: Party): Promise<void> {
  await one.send(request(other.machineId, gateway.machineId));
  await other.send(request(one.machineId, gateway.machineId));
  await expectPairs(one, [[other.machineId, gateway.machineId]]);
  await expectPairs(other, [[one.machineId, gateway.machineId]]);
}

async function expectPairs(member: TestMember, pairs: readonly (readonly [MachineId, MachineId])[]): Promise<void> {
  const expected = pairs.map(([peerId, gatewayId]) => ({ peerId, gatewayId }));
  // It may be told before what was so until now.
  for (;;) {
    const { pairs: told } = await member.next("transit.set");
    if (JSON.stringify(told) === JSON.stringify(expected)) return;
  }
}

describe.each(TRANSPORTS)("over %s", (transport) => {
  test("both sides ask, both are told; either side ends it, both are told", async () => {
    const party = await createParty(transport);
    const { one, other } = party;
    await agree(party);
    await other.send(request(one.machineId));
    await expectPairs(one, []);
    await expectPairs(other, []);
  });

  test("a member that says hello again is told its pairs, and that there are none any more", async () => {
    const party = await createParty(transport);
    const { mesh, one, other, gateway } = party;
    await agree(party);
    const again = await connectMember(mesh, transport, { machineId: other.machineId });
    await expectPairs(again, [[one.machineId, gateway.machineId]]);
    await one.send(request(other.machineId));
    await expectPairs(await connectMember(mesh, transport, { machineId: other.machineId }), []);
  });

  test("what is refused is said, with code and sentence, and nobody else hears of it", async () => {
    const { mesh, one, other, gateway } = await createParty(transport);
    const offline = await mesh.addNew("sleeper");
    await mesh.mesh.setMemberGateway(offline.machineId, true);
    const stranger = createMachineId();
    const cases: [MachineId, MachineId, string, string][] = [
      [stranger, gateway.machineId, "member_not_found", `${stranger} is no peer in this mesh`],
      [one.machineId, gateway.machineId, "member_not_found", `${one.machineId} is no peer in this mesh`],
      [other.machineId, stranger, "gateway_not_found", `${stranger} is no gateway in this mesh`],
      [other.machineId, one.machineId, "gateway_not_found", `${one.machineId} is no gateway in this mesh`],
      [
        gateway.machineId,
        gateway.machineId,
        "gateway_not_between",
        "a gateway is reached directly, not through itself",
      ],
      [other.machineId, offline.machineId, "gateway_offline", "the gateway sleeper is offline"],
    ];
    for (const [peerId, gatewayId, code, message] of cases) {
      await one.send(request(peerId, gatewayId));
      expect(await one.next("error")).toEqual({ type: "error", code, message });
    }
    expect((await other.drain()).filter(({ type }) => type === "transit.set")).not.toContainEqual(
      expect.objectContaining({ pairs: [expect.anything()] }),
    );
  });
});

test("a mesh whose fallback is the relay alone has no transit, and says nothing of it", async () => {
  const mesh = await createTestMesh();
  const [one, other] = [await connectMember(mesh, "socket"), await connectMember(mesh, "socket")];
  await mesh.mesh.setMemberGateway(other.machineId, true);
  await one.send(request(other.machineId, other.machineId));
  expect(await one.next("error")).toMatchObject({ code: "transit_not_allowed" });
  expect((await one.drain()).map(({ type }) => type)).not.toContain("transit.set");
});

describe("what is agreed", () => {
  async function createTwoGateways() {
    const party = await createParty();
    const second = await connectMember(party.mesh, "socket");
    await party.mesh.mesh.setMemberGateway(second.machineId, true);
    const [first, last] = [party.gateway.machineId, second.machineId].sort() as [MachineId, MachineId];
    return { ...party, first, last };
  }
  const setsOf = (messages: readonly { type: string }[]) =>
    messages.flatMap((message) => ("pairs" in message ? [message.pairs] : []));

  test("is what both have named: one side alone is told of nothing, and the other is asked", async () => {
    const { one, other, gateway } = await createParty();
    await one.send(request(other.machineId, gateway.machineId));
    expect(await other.next("transit.requested")).toEqual({ type: "transit.requested", peerId: one.machineId });
    expect(setsOf(await one.drain())).toEqual([[]]);
    expect(setsOf(await other.drain())).toEqual([]);
  });

  test("is a gateway that both reach, whatever else each reaches", async () => {
    const { one, other, first, last } = await createTwoGateways();
    await one.send(request(other.machineId, first, last));
    await other.send(request(one.machineId, last));
    await expectPairs(one, [[other.machineId, last]]);
    await expectPairs(other, [[one.machineId, last]]);
  });

  test("stays while both go on naming it, and then is another one", async () => {
    const { one, other, first, last } = await createTwoGateways();
    await one.send(request(other.machineId, last));
    await other.send(request(one.machineId, last));
    await expectPairs(one, [[other.machineId, last]]);
    await one.send(request(other.machineId, first, last));
    await other.send(request(one.machineId, first, last));
    expect(setsOf(await one.drain()).at(-1)).toEqual([{ peerId: other.machineId, gatewayId: last }]);
    await other.send(request(one.machineId, first));
    await expectPairs(one, [[other.machineId, first]]);
    await expectPairs(other, [[one.machineId, first]]);
  });

  test("ends with a wish that names no gateway any more that can be used", async () => {
    const party = await createTwoGateways();
    const { one, other, first, last } = party;
    await one.send(request(other.machineId, first));
    await other.send(request(one.machineId, first));
    await expectPairs(other, [[one.machineId, first]]);
    await party.mesh.mesh.setMemberGateway(last, false);
    await one.send(request(other.machineId, last));
    expect(await one.next("error")).toMatchObject({ code: "gateway_not_found" });
    await expectPairs(other, []);
  });

  test("is told to both again when one asks for it: one of them may have missed it", async () => {
    const party = await createParty();
    await agree(party);
    await party.one.drain();
    await party.other.send(request(party.one.machineId, party.gateway.machineId));
    await expectPairs(party.one, [[party.other.machineId, party.gateway.machineId]]);
  });

  test("is nothing after the fallback was the relay alone for a while, until both ask anew", async () => {
    const party = await createParty();
    await agree(party);
    await party.mesh.mesh.changeSettings({ fallback: "relay" });
    await party.mesh.mesh.changeSettings({ fallback: "transit" });
    await expectPairs(party.one, []);
    await party.one.send(request(party.other.machineId, party.gateway.machineId));
    expect(await party.other.next("transit.requested")).toMatchObject({ peerId: party.one.machineId });
  });
});

describe("transit ends, and whom it concerned is told,", () => {
  test.each<[string, (party: Party) => Promise<unknown>]>([
    ["with the gateway's flag", ({ mesh, gateway }) => mesh.mesh.setMemberGateway(gateway.machineId, false)],
    ["with the gateway's membership", ({ mesh, gateway }) => mesh.remove(gateway.machineId)],
    ["with a fallback that has none", ({ mesh }) => mesh.mesh.changeSettings({ fallback: "relay" })],
  ])("%s", async (_, end) => {
    const party = await createParty();
    await agree(party);
    await end(party);
    await expectPairs(party.one, []);
    await expectPairs(party.other, []);
  });

  test("with the membership of the other side", async () => {
    const party = await createParty();
    await agree(party);
    await party.mesh.remove(party.other.machineId);
    await expectPairs(party.one, []);
  });
});

test("a change of the order alone ends no transit", async () => {
  const party = await createParty();
  await agree(party);
  await party.mesh.mesh.changeSettings({ fallback: "transit-then-relay" });
  const again = await connectMember(party.mesh, "socket", { machineId: party.one.machineId });
  await expectPairs(again, [[party.other.machineId, party.gateway.machineId]]);
});

test("a flood of requests is refused beyond the member's rate, and the connection stays", async () => {
  const party = await createParty();
  const { one, other, gateway } = party;
  await one.send(...Array(100).fill(request(other.machineId, gateway.machineId)));
  expect(await one.next("error")).toMatchObject({ code: "rate_limited" });
  expect((await other.drain()).length).toBeLessThan(70);
});
