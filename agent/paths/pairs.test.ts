import { beforeEach, describe, expect, it } from "vitest";
import type { Endpoint } from "#schema/address";
import type { PeerRow } from "#schema/desired-state";
import type { ToMeshMessage } from "#schema/wire/messages";
import { createPacketFilter } from "../stun/packet-filter.ts";
import { silentLogger } from "../system/logger.ts";
import { createFakeClock, type FakeClock } from "../testing/fake-clock.ts";
import { createFakeKernel, type FakeKernel } from "../testing/fake-kernel.ts";
import { createFakeUdp, type FakeUdp } from "../testing/fake-udp.ts";
import { createMemoryFiles } from "../testing/memory-files.ts";
import { testMachineId, testMeshId, testPeer } from "../testing/mesh-model.ts";
import { createBirthdays } from "./checks/birthdays.ts";
import { createPacer } from "./checks/pacer.ts";
import { createRuleBook, type RuleBook } from "./checks/rule-book.ts";
import type { LocalFacts } from "./core/path-state.ts";
import { EASY_CANDIDATES, NATS, toLocal } from "./core/testing/path-fixture.ts";
import { createPairs, type Pairs } from "./pairs.ts";

const PORT = 51_820;
const [ONE, OTHER] = [testPeer(1), testPeer(2)];
const laneTo = ({ candidates }: PeerRow, wireguardPort = PORT) => ({
  ...{ wireguardPort, localPort: 45_000, remote: candidates[0]?.endpoint as Endpoint },
});

let clock: FakeClock;
let kernel: FakeKernel;
let rules: RuleBook;
let pairs: Pairs;
let udp: FakeUdp;
let isConnected: boolean;
let messages: ToMeshMessage[];
beforeEach(async () => {
  [clock, udp, isConnected, messages] = [createFakeClock(), createFakeUdp(), true, []];
  kernel = createFakeKernel({ files: createMemoryFiles() });
  const filter = createPacketFilter(kernel);
  rules = createRuleBook({ filter, clock, log: silentLogger, onProblemChanged: () => undefined });
  await rules.setPort(testMeshId(0), PORT, 40_000);
  pairs = createPairs(
    {
      ...{ meshId: testMeshId(0), machineId: testMachineId(0), listenPort: PORT },
      checker: { send: async () => undefined, receive: async () => null },
      ...{ probe: () => undefined, refreshStun: () => undefined, isConnected: () => isConnected },
      send: (message) => messages.push(message) > 0,
      ...{ report: () => undefined, onDecision: () => undefined },
    },
    {
      ...{ clock, random: () => 0.5, udp, rules, birthdays: createBirthdays() },
      pacer: createPacer(clock),
      relays: { open: () => ({ send: () => undefined, close: () => undefined, stats: () => NOTHING }) },
    },
  );
});

const NOTHING = { queuedBytes: 0, droppedPackets: 0 };
const setRows = (...rows: PeerRow[]) => setRowsWith(toLocal(), ...rows);
const setRowsWith = (local: LocalFacts, ...rows: PeerRow[]) =>
  pairs.setRows(new Map(rows.map((row) => [row.machineId, row])), { local, isEager: true, device: null });

async function lanesInForce() {
  await clock.advance(0);
  return (await createPacketFilter(kernel).read())?.lanes;
}

describe("a member that is one no more", () => {
  it("leaves no lane, also not one of an agent that was here before", async () => {
    await setRows(ONE, OTHER);
    const ofAnotherMesh = laneTo(ONE, PORT + 1);
    for (const lane of [laneTo(ONE), laneTo(OTHER), ofAnotherMesh]) await rules.addLane(lane);
    await setRows(OTHER);
    expect(await lanesInForce()).toEqual([ofAnotherMesh, laneTo(OTHER)]);
  });

  it("takes no lane along that another member's path may go through", async () => {
    const liar = { ...ONE, candidates: [...ONE.candidates, ...OTHER.candidates] };
    await setRows(liar, OTHER);
    await rules.addLane(laneTo(OTHER));
    await setRows(OTHER);
    expect(await lanesInForce()).toEqual([laneTo(OTHER)]);
  });
});

describe("ports are opened through a hard NAT", () => {
  const easy = (row: PeerRow): PeerRow => ({ ...row, nat: NATS.there.easy, candidates: EASY_CANDIDATES });
  const told = () => messages.filter((message) => message.type === "punch.request" && message.kind === "birthday");
  const opened = () => udp.endpoints().filter((endpoint) => endpoint.startsWith("0.0.0.0:")).length;

  it("for one peer at a time", async () => {
    await setRowsWith(toLocal({ nat: NATS.here.hard }), easy(ONE), easy(OTHER));
    await clock.advance(1_000);
    expect([opened(), told().length]).toEqual([256, 1]);
    await clock.advance(20_000);
    expect([opened(), told().length]).toEqual([256, 2]);
    await clock.advance(20_000);
    expect([opened(), told().length]).toEqual([0, 2]);
  });

  it("when the peer can be told, and soon after that", async () => {
    isConnected = false;
    await setRowsWith(toLocal({ nat: NATS.here.hard }), easy(ONE));
    await clock.advance(1_000);
    expect([opened(), told().length]).toEqual([0, 0]);
    isConnected = true;
    await clock.advance(1_000);
    expect([opened(), told().length]).toEqual([256, 1]);
  });
});

describe("lanes", () => {
  it("stay when the agent stops: WireGuard's traffic is on them", async () => {
    await setRows(ONE);
    await rules.addLane(laneTo(ONE));
    pairs.stop();
    expect(await lanesInForce()).toEqual([laneTo(ONE)]);
  });
});

describe("a gateway that a direct path leads to", () => {
  it.each([
    [true, [ONE.machineId]],
    [false, []],
  ])("is one for the other members where it can guard what it forwards: %s", async (answersChecks, expected) => {
    await setRows({ ...ONE, isGateway: true, answersChecks }, OTHER);
    pairs.of(ONE.machineId)?.dispatch({ type: "roamed", endpoint: "198.51.100.1:51820" as Endpoint });
    expect(pairs.of(ONE.machineId)?.state().path.kind).toBe("direct");
    expect(pairs.of(OTHER.machineId)?.state().gatewayIds).toEqual(expected);
  });
});
