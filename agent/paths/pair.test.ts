import { beforeEach, describe, expect, it } from "vitest";
import type { Endpoint } from "#schema/address";
import type { LinkReport } from "#schema/path";
import type { ToMeshMessage } from "#schema/wire/messages";
import { openLoopback } from "../relay/loopback.ts";
import type { RelayEvents, Relays } from "../relay/relay-connection.ts";
import { renderStun } from "../stun/codec.ts";
import { randomBytes } from "../system/random.ts";
import type { UdpSocket } from "../system/udp.ts";
import { createFakeClock, type FakeClock } from "../testing/fake-clock.ts";
import { createFakeUdp, type FakeUdp } from "../testing/fake-udp.ts";
import { testMeshId } from "../testing/mesh-model.ts";
import type { Birthday } from "./checks/birthday.ts";
import type { Checker, OutgoingCheck } from "./checks/checker.ts";
import { createPath } from "./core/path-machine.ts";
import { PEER, STUN_ENDPOINT, toLocal, toPeer } from "./core/testing/path-fixture.ts";
import { createPair, type Pair } from "./pair.ts";

const WIREGUARD_PORT = 51_820;
/** As WireGuard's transport packets are: 32 bytes. */
const sealed = (text: string) => Buffer.concat([Buffer.from([4, 0, 0, 0]), Buffer.from(text.padEnd(28))]);
const readSealed = (packet: Buffer) => packet.subarray(4).toString().trimEnd();

interface OpenedRelay {
  readonly ticket: string;
  readonly events: RelayEvents;
  readonly sent: string[];
  isClosed: boolean;
}

let clock: FakeClock;
let pair: Pair;
let udp: FakeUdp;
let wireguard: UdpSocket;
/** What WireGuard received, and from where. */
let injected: string[];
/** What left from WireGuard's port: sealed packets. */
let direct: string[];
let relays: OpenedRelay[];
let messages: ToMeshMessage[];
let reports: LinkReport[];
let checks: OutgoingCheck[];
let received: Buffer[];
let decisions: number;

beforeEach(async () => {
  clock = createFakeClock();
  [injected, direct, relays, messages, reports, checks, received, decisions] = [[], [], [], [], [], [], [], 0];
  udp = createFakeUdp();
  wireguard = await udp.open({ port: WIREGUARD_PORT });
  wireguard.listen((packet, from) => injected.push(`${readSealed(packet)} from ${from}`));
  const loopback = await openLoopback(udp, WIREGUARD_PORT, (packet) => pair.takeSealed(packet));
  const facts = { peer: toPeer(), local: toLocal(), path: { kind: "none" } as const };
  const beginning = createPath({ peerId: PEER, isControlling: true, isEager: false, ...facts }, clock.now());
  pair = createPair({
    ...{ meshId: testMeshId(0), state: { ...beginning, version: 1 }, clock, loopback },
    ...{ relays: createRelays(), checker: createTestChecker(), birthday: NO_BIRTHDAY },
    pacer: { run: (_, send) => send() },
    probe: (packet, to) => direct.push(`${readSealed(Buffer.from(packet))} to ${to}`),
    send: (message) => messages.push(message),
    refreshStun: () => undefined,
    report: (link) => reports.push(link),
    onDecision: () => decisions++,
  });
});

const NO_BIRTHDAY: Birthday = {
  ask: () => undefined,
  openPorts: () => undefined,
  guessPorts: () => undefined,
  end: () => undefined,
  stop: () => undefined,
  leave: () => undefined,
};

function createRelays(): Relays {
  return {
    open({ ticket }, events) {
      const opened: OpenedRelay = { ticket, events, sent: [], isClosed: false };
      relays.push(opened);
      return {
        send: (packet) => opened.sent.push(readSealed(Buffer.from(packet))),
        close: () => {
          opened.isClosed = true;
        },
        stats: () => ({ queuedBytes: 0, droppedPackets: 0 }),
      };
    },
  };
}

function createTestChecker(): Checker {
  return {
    async send(check) {
      checks.push(check);
    },
    async receive(packet) {
      received.push(packet);
      return null;
    },
  };
}

/** WireGuard sends to where it was told to. */
async function sendFromWireGuard(text: string): Promise<void> {
  wireguard.send(sealed(text), loopbackEndpoint);
  await clock.advance(0);
}
const requestsOf = (type: ToMeshMessage["type"]) => messages.filter((message) => message.type === type).length;

let loopbackEndpoint: Endpoint;
beforeEach(() => {
  loopbackEndpoint = pair.decision().endpoint ?? STUN_ENDPOINT;
});

/** The first packet, and a relay with both sides in it. */
async function relayed(): Promise<OpenedRelay> {
  pair.confirm(1);
  await sendFromWireGuard("first");
  pair.openRelay("ticket");
  const [relay] = relays;
  if (relay === undefined) throw new Error("no relay was opened");
  relay.events.onPeerPresent(true);
  await clock.advance(0);
  return relay;
}

async function upgraded(): Promise<OpenedRelay> {
  const relay = await relayed();
  pair.dispatch({ type: "answered", endpoint: STUN_ENDPOINT, roundTripMs: 20 });
  return relay;
}

describe("a pair without a path", () => {
  it("has WireGuard send to the agent's own socket, without a keepalive", () => {
    expect(pair.decision()).toMatchObject({ version: 1, keepaliveSeconds: 0, gatewayId: null });
    expect(loopbackEndpoint).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  it("opens the relay with the first packet, which is not lost, nor are those that follow it", async () => {
    pair.confirm(1);
    for (const text of ["1", "2", "3"]) await sendFromWireGuard(text);
    expect(requestsOf("relay.request")).toBe(1);
    pair.openRelay("ticket");
    expect(relays).toMatchObject([{ ticket: "ticket", sent: ["1", "2", "3"] }]);
    await sendFromWireGuard("4");
    expect(relays[0]?.sent).toEqual(["1", "2", "3", "4"]);
  });

  it("keeps the newest 64 KiB of what waits", async () => {
    for (let count = 0; count < 100; count++) await sendFromWireGuard(`${count} ${"x".repeat(1_400)}`);
    pair.confirm(1);
    pair.openRelay("ticket");
    const numbers = relays[0]?.sent.map((text) => Number(text.split(" ")[0])) ?? [];
    expect(numbers.at(-1)).toBe(99);
    expect(numbers.length).toBeGreaterThan(40);
    expect(numbers.length).toBeLessThan(50);
  });

  it("sends what waits the direct way when that is found before the relay is", async () => {
    pair.confirm(1);
    await sendFromWireGuard("first");
    pair.dispatch({ type: "answered", endpoint: STUN_ENDPOINT, roundTripMs: 20 });
    expect(direct).toEqual([`first to ${STUN_ENDPOINT}`]);
  });

  it("takes nothing from other programs on its socket", async () => {
    pair.confirm(1);
    const stranger = await udp.open({ port: 4_000 });
    stranger.send(sealed("stranger"), loopbackEndpoint);
    await clock.advance(0);
    expect([messages, direct]).toEqual([[], []]);
  });
});

describe("a relayed pair", () => {
  it("hands what comes through the relay to WireGuard, from the socket that it sends to", async () => {
    const relay = await relayed();
    relay.events.onPacket(sealed("hello"));
    await clock.advance(0);
    expect(injected).toEqual([`hello from ${loopbackEndpoint}`]);
    expect(pair.state().path).toEqual({ kind: "relayed" });
  });

  it("hands WireGuard nothing that can't be WireGuard's", async () => {
    const relay = await relayed();
    for (const packet of [Buffer.from([4, 0, 0, 0]), Buffer.alloc(9_000, 3), Buffer.from([1, 0, 0, 0, 9])]) {
      relay.events.onPacket(packet);
    }
    await clock.advance(0);
    expect(injected).toEqual([]);
  });

  it("lets one of two handshakes through that both ends began at the same moment", async () => {
    const initiation = Buffer.concat([Buffer.from([1, 0, 0, 0]), Buffer.alloc(144, "x")]);
    const isInjected = () => injected.some((text) => text.startsWith("xxx"));
    pair.confirm(1);
    wireguard.send(initiation, loopbackEndpoint);
    await clock.advance(0);
    pair.openRelay("ticket");
    // It waits in the relay's queue for the peer.
    await clock.advance(2_000);
    const [relay] = relays;
    relay?.events.onPeerPresent(true);
    relay?.events.onPacket(initiation);
    await clock.advance(900);
    expect([isInjected(), pair.state().lastRelayRxMs !== null]).toEqual([false, true]);
    await clock.advance(100);
    relay?.events.onPacket(initiation);
    await clock.advance(0);
    expect(isInjected()).toBe(true);
  });

  it("never hands STUN to WireGuard", async () => {
    const relay = await relayed();
    const transactionId = randomBytes(12);
    for (const kind of ["request", "success", "error", "indication"] as const) {
      relay.events.onPacket(renderStun({ class: kind, transactionId, attributes: {} }));
    }
    await clock.advance(0);
    expect([injected, received.length > 0]).toEqual([[], true]);
  });

  it("is measured through the relay", async () => {
    await relayed();
    checks.length = 0;
    pair.measure();
    expect(checks.map(({ endpoint }) => endpoint)).toEqual([null]);
    pair.noteAnswer({ endpoint: null, mapped: null, roundTripMs: 80 });
    expect([pair.quality.latencyMs(), pair.quality.lossRatio(clock.now())]).toEqual([80, 0]);
  });

  it("tells that it is up, and how", async () => {
    await relayed();
    expect(reports.at(-1)).toMatchObject({ peerId: PEER, kind: "up", path: "relayed", endpoint: null });
  });

  it("opens one relay, however many tickets come", async () => {
    await relayed();
    pair.openRelay("another");
    expect(relays).toHaveLength(1);
  });

  it("asks for another relay when it ends", async () => {
    const relay = await relayed();
    relay.events.onEnd({ code: "closed", message: "the relay closed" });
    await sendFromWireGuard("next");
    await clock.advance(2_000);
    expect(requestsOf("relay.request")).toBe(2);
    pair.openRelay("second");
    expect(relays.at(-1)).toMatchObject({ ticket: "second", sent: expect.arrayContaining(["next"]) });
  });
});

describe("a pair that is upgraded", () => {
  it("has its endpoint written as a new decision", async () => {
    const before = pair.decision();
    await upgraded();
    expect(pair.decision()).toMatchObject({ endpoint: STUN_ENDPOINT });
    expect(pair.decision().version).toBeGreaterThan(before.version);
    expect(decisions).toBeGreaterThan(0);
    expect(reports.at(-1)).toMatchObject({ kind: "path_changed", path: "direct", endpoint: STUN_ENDPOINT });
  });

  it("sends directly what WireGuard still sends to the agent's socket, and nothing over the relay", async () => {
    const relay = await upgraded();
    const before = relay.sent.length;
    await sendFromWireGuard("late");
    expect([direct.at(-1), relay.sent.length]).toEqual([`late to ${STUN_ENDPOINT}`, before]);
  });

  it("forgets what it measured of the relay", async () => {
    await relayed();
    pair.noteAnswer({ endpoint: null, mapped: null, roundTripMs: 80 });
    pair.dispatch({ type: "answered", endpoint: STUN_ENDPOINT, roundTripMs: 20 });
    expect(pair.quality.latencyMs()).toBeNull();
    pair.noteAnswer({ endpoint: STUN_ENDPOINT, mapped: null, roundTripMs: 20 });
    expect(pair.quality.latencyMs()).toBe(20);
  });
});

describe("a pair that is invited to a relay", () => {
  it("opens it only when WireGuard knows the peer: what comes before would be lost", () => {
    pair.openRelay("invitation");
    expect([relays.length, pair.isConfigured()]).toEqual([0, false]);
    pair.confirm(1);
    expect([relays.map(({ ticket }) => ticket), pair.isConfigured()]).toEqual([["invitation"], true]);
  });

  it("opens it once", () => {
    pair.openRelay("invitation");
    pair.confirm(1);
    pair.confirm(2);
    expect(relays).toHaveLength(1);
  });
});

describe("a pair that ends", () => {
  it("closes its relay and its socket, and does nothing any more", async () => {
    const relay = await relayed();
    pair.stop();
    const before = messages.length;
    await sendFromWireGuard("late");
    relay.events.onPeerPresent(false);
    pair.openRelay("late");
    pair.dispatch({ type: "network_changed" });
    await clock.advance(120_000);
    expect([relay.isClosed, relays.length, messages.length, clock.pending()]).toEqual([true, 1, before, 0]);
  });
});
