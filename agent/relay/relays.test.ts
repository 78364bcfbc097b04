// The relay client over real sockets.
import { afterEach, beforeEach, expect, test } from "vitest";
import { createMachineApi } from "../control/machine-api.ts";
import { createServerClock } from "../control/server-clock.ts";
import { createClock } from "../system/clock.ts";
import { generateEd25519Pem, parseEd25519Pem } from "../system/ed25519.ts";
import { createHttp, type Http } from "../system/http.ts";
import { type ConnectProxy, openConnectProxy } from "../testing/connect-proxy.ts";
import { eventually } from "../testing/eventually.ts";
import { createFakeRelay, type FakeRelay } from "../testing/fake-relay.ts";
import { testMachineId, testMeshId } from "../testing/mesh-model.ts";
import { createRelays, type RelayConnection } from "./relay-connection.ts";

const TIMINGS = { openTimeoutMs: 5_000, pingIntervalMs: 30_000, pongTimeoutMs: 10_000 };

let fake: FakeRelay;
let proxy: ConnectProxy;
let https: Http[];
let relays: RelayConnection[];

beforeEach(async () => {
  fake = await createFakeRelay();
  proxy = await openConnectProxy();
  https = [];
  relays = [];
});
afterEach(async () => {
  for (const relay of relays) relay.close();
  for (const http of https) http.dropConnections();
  await proxy.close();
  await fake.close();
});

interface Side {
  readonly relay: RelayConnection;
  readonly packets: Buffer[];
  readonly presence: boolean[];
  readonly ends: { code: string; message: string }[];
  receivedBytes: number;
}

function open(own: number, peer: number, { env = {}, timings = TIMINGS, ticket = "good" } = {}): Side {
  const clock = createClock();
  const http = createHttp(env);
  const api = createMachineApi({
    http,
    clock,
    serverClock: createServerClock(clock),
    signingKeys: { list: [parseEd25519Pem(generateEd25519Pem())] },
    machineId: testMachineId(own),
    url: fake.url,
    userAgent: "test",
  });
  const target = { meshId: testMeshId(0), peerId: testMachineId(peer), ticket };
  const packets: Buffer[] = [];
  const presence: boolean[] = [];
  const ends: Side["ends"] = [];
  const relay = createRelays({ api, clock, timings }).open(target, {
    onPacket: (packet) => {
      packets.push(packet);
      side.receivedBytes += packet.length;
    },
    onPeerPresent: (isPresent) => presence.push(isPresent),
    onEnd: (end) => ends.push(end),
  });
  const side: Side = { relay, packets, presence, ends, receivedBytes: 0 };
  https.push(http);
  relays.push(relay);
  return side;
}

test("packets cross in both directions, the first of them sent before anything was open", async () => {
  const a = open(1, 2);
  a.relay.send(Buffer.from("first"));
  const b = open(2, 1);
  b.relay.send(Buffer.from("answer"));
  await eventually(() => expect(b.packets.map(String)).toEqual(["first"]));
  await eventually(() => expect(a.packets.map(String)).toEqual(["answer"]));
  expect(fake.sides().map(({ ticket }) => ticket)).toEqual(["good", "good"]);
});

test("presence follows the other side", async () => {
  const a = open(1, 2);
  await eventually(() => expect(a.presence).toEqual([false]));
  const b = open(2, 1);
  await eventually(() => expect(a.presence).toEqual([false, true]));
  b.relay.close();
  await eventually(() => expect(a.presence).toEqual([false, true, false]));
  expect(b.ends).toEqual([]);
});

test("carries packets through a proxy", async () => {
  const a = open(1, 2, { env: { HTTP_PROXY: proxy.url } });
  const b = open(2, 1);
  a.relay.send(Buffer.from("through the proxy"));
  await eventually(() => expect(b.packets.map(String)).toEqual(["through the proxy"]));
  expect(proxy.tunnels).toEqual([`${new URL(fake.url).host} undefined`]);
});

test("a ticket that is no good is told from other ends", async () => {
  fake.tickets.add("good");
  const a = open(1, 2, { ticket: "bad" });
  await eventually(() => expect(a.ends).toMatchObject([{ code: "relay_ticket_invalid" }]));
  await fake.close();
  const b = open(1, 2);
  await eventually(() => expect(b.ends).toMatchObject([{ code: "network" }]));
});

test("pings keep it, and silence ends it", async () => {
  const a = open(1, 2, { timings: { ...TIMINGS, pingIntervalMs: 20, pongTimeoutMs: 200 } });
  await eventually(() => expect(fake.sides()[0]?.pings()).toBeGreaterThan(2));
  expect(a.ends).toEqual([]);
  fake.levers.isMute = true;
  await eventually(() => expect(a.ends).toMatchObject([{ code: "network" }]));
});

test("a receiver that stops reading costs the sender no more than its bounds, and the newest packets arrive after", async () => {
  const a = open(1, 2);
  const b = open(2, 1);
  await eventually(() => expect(a.presence).toContain(true));
  const [first] = fake.sides();
  first?.pause();
  // More than the kernel's own buffers take.
  for (let burst = 0; burst < 40; burst++) {
    for (let count = 0; count < 700; count++) a.relay.send(Buffer.alloc(1_400, burst));
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(a.relay.stats().droppedPackets).toBeGreaterThan(0);
  expect(a.relay.stats().queuedBytes).toBeLessThanOrEqual(256 * 1_024);
  first?.resume();
  await eventually(() => expect(b.packets.at(-1)?.[0]).toBe(39));
  await eventually(() => expect(a.relay.stats().queuedBytes).toBe(0));
  const other = fake.sides().find(({ machineId }) => machineId === testMachineId(2));
  await eventually(() => expect(other?.acks.at(-1)).toBeGreaterThan(b.receivedBytes - 128 * 1_024));
});
