import { beforeEach, describe, expect, test } from "vitest";
import { err, ok, type Result } from "#schema/result";
import { RELAY_ACK_EVERY_BYTES } from "#schema/wire/relay";
import type { ApiFailure } from "../control/api-failure.ts";
import type { MachineApi } from "../control/machine-api.ts";
import type { SocketEvents, SocketPort } from "../system/http.ts";
import { createFakeClock, type FakeClock } from "../testing/fake-clock.ts";
import { testMachineId, testMeshId } from "../testing/mesh-model.ts";
import { createFrameWriter, readFrame } from "./framing.ts";
import { createRelays, type RelayConnection } from "./relay-connection.ts";

const TIMINGS = { openTimeoutMs: 15_000, pingIntervalMs: 30_000, pongTimeoutMs: 10_000 };
const MB = 1024 * 1024;

let clock: FakeClock;
let relay: RelayConnection;
let asked: { path: string; headers: unknown }[];
/** Texts, and the first bytes of the packets of a frame. */
let sent: (string | number[])[];
let heard: unknown[];
let ends: { code: string; message: string }[];
let buffered: number;
let closes: number;
let other: SocketEvents | null;
let answer: (result: Result<SocketPort, ApiFailure>) => void;

const socket: SocketPort = {
  send: (text) => sent.push(text),
  sendBinary: (frame) => sent.push(readPackets(frame)),
  bufferedBytes: () => buffered,
  close: () => closes++,
  listen: (events) => {
    other = events;
  },
  isOrphaned: () => false,
};

beforeEach(() => {
  clock = createFakeClock();
  asked = [];
  sent = [];
  heard = [];
  ends = [];
  buffered = 0;
  closes = 0;
  other = null;
  const api: Pick<MachineApi, "openSocket"> = {
    openSocket: (path, _limits, headers) => {
      asked.push({ path, headers });
      return new Promise((resolve) => {
        answer = resolve;
      });
    },
  };
  const target = { meshId: testMeshId(0), peerId: testMachineId(2), ticket: "a.b.c" };
  relay = createRelays({ api, clock, timings: TIMINGS }).open(target, {
    onPacket: (packet) => heard.push(packet[0]),
    onPeerPresent: (isPresent) => heard.push(isPresent),
    onEnd: (end) => ends.push(end),
  });
});

const packet = (first: number, length = 100) => new Uint8Array(length).fill(first);
const say = (message: object | string) =>
  other?.onText(typeof message === "string" ? message : JSON.stringify(message));
const sayPresent = (isPresent: boolean) => say({ type: "relay.peer", isPresent });
async function open(): Promise<void> {
  answer(ok(socket));
  await clock.advance(0);
}
async function openTogether(): Promise<void> {
  await open();
  sayPresent(true);
  heard = [];
}
function readPackets(frame: Uint8Array): number[] {
  const firsts: number[] = [];
  readFrame(Buffer.from(frame), (each) => firsts.push(each[0] ?? -1));
  return firsts;
}
function toFrame(...packets: Uint8Array[]): Buffer {
  const writer = createFrameWriter();
  for (const each of packets) writer.add(each);
  return Buffer.from(writer.take());
}

describe("a relay connection", () => {
  test("shows its ticket", () => {
    const path = `/agent/v1/relays/${testMeshId(0)}/${testMachineId(2)}`;
    expect(asked).toEqual([{ path, headers: { "x-becket-relay-ticket": "a.b.c" } }]);
  });

  test("keeps packets until the other side is there, and again when it left", async () => {
    relay.send(packet(1));
    await open();
    relay.send(packet(2));
    expect([sent, relay.stats()]).toEqual([[], { queuedBytes: 200, droppedPackets: 0 }]);
    sayPresent(true);
    expect([sent.flat(), relay.stats().queuedBytes]).toEqual([[1, 2], 0]);
    sayPresent(false);
    relay.send(packet(3));
    await clock.advance(5);
    expect(sent.flat()).toEqual([1, 2]);
    sayPresent(true);
    expect(sent.flat()).toEqual([1, 2, 3]);
    expect(heard).toEqual([true, false, true]);
  });

  test("keeps the newest 256 KB", async () => {
    for (let each = 0; each < 300; each++) relay.send(packet(each % 256, 1_024));
    expect(relay.stats()).toEqual({ queuedBytes: 256 * 1_024, droppedPackets: 44 });
    await openTogether();
    expect(sent.flat().slice(0, 2)).toEqual([44, 45]);
    expect(sent.flat()).toHaveLength(256);
  });

  test("joins packets that come together, and drops what no frame carries", async () => {
    await openTogether();
    for (const each of [packet(1), packet(2), new Uint8Array(0), packet(9, 9_217), packet(3)]) relay.send(each);
    await clock.advance(1);
    expect(sent).toEqual([[1], [2, 3]]);
    expect(relay.stats().droppedPackets).toBe(2);
  });

  test("gives packets in order, and acknowledges each 128 KB", async () => {
    await openTogether();
    other?.onBinary?.(toFrame(packet(1), packet(2)));
    expect(heard).toEqual([1, 2]);
    const frame = toFrame(packet(3, 8_000), packet(4, 8_000));
    let bytes = 204;
    for (; bytes < RELAY_ACK_EVERY_BYTES; bytes += frame.length) {
      expect(sent).toEqual([]);
      other?.onBinary?.(frame);
    }
    expect(sent).toEqual([JSON.stringify({ type: "relay.ack", bytes })]);
    other?.onBinary?.(frame);
    expect(sent).toHaveLength(1);
  });

  test("ends at a frame that is not well formed, with what was good of it", async () => {
    await openTogether();
    other?.onBinary?.(Buffer.concat([toFrame(packet(1)), Buffer.of(0, 9, 1)]));
    expect([heard, ends.map(({ code }) => code), closes]).toEqual([[1], ["bad_frame"], 1]);
  });

  test("gives nothing any more once it was closed in the middle of a frame", async () => {
    await open();
    relay.close();
    other?.onBinary?.(toFrame(packet(1)));
    say({ type: "relay.peer", isPresent: true });
    other?.onClose(1006, "");
    expect([heard, ends, closes]).toEqual([[], [], 1]);
  });

  test("does not mind words of a newer relay", async () => {
    await openTogether();
    say({ type: "relay.weather", isSunny: true });
    say("][");
    expect([heard, ends]).toEqual([[], []]);
  });
});

describe("when the network takes less than comes", () => {
  test("packets wait, oldest dropped, and go on in order as it drains", async () => {
    await openTogether();
    buffered = MB + 1;
    relay.send(packet(0));
    for (let each = 1; each <= 300; each++) relay.send(packet(each % 256, 1_024));
    await clock.advance(1_000);
    expect([sent, relay.stats()]).toEqual([[[0]], { queuedBytes: 256 * 1_024, droppedPackets: 44 }]);
    buffered = MB / 2;
    await clock.advance(5);
    expect(sent.flat().slice(1, 3)).toEqual([45, 46]);
    expect(sent.flat()).toHaveLength(257);
    relay.send(packet(7));
    await clock.advance(1);
    expect(sent.at(-1)).toEqual([7]);
  });

  test("a ping that waits behind the packets does not end it while they drain", async () => {
    await openTogether();
    await clock.advance(29_000);
    buffered = MB + 1;
    relay.send(packet(0));
    await clock.advance(2_000);
    buffered = 0;
    await clock.advance(10_000);
    expect(ends).toEqual([]);
  });

  test("a line that takes nothing at all is dead", async () => {
    await openTogether();
    buffered = MB + 1;
    relay.send(packet(0));
    await clock.advance(40_000);
    expect(ends).toMatchObject([{ code: "network" }]);
    expect(clock.pending()).toBe(0);
  });
});

describe("the end", () => {
  test("comes when a ping is not answered; anything that comes is an answer", async () => {
    await openTogether();
    await clock.advance(30_000);
    expect(sent).toEqual(["ping"]);
    say("pong");
    await clock.advance(30_000);
    other?.onBinary?.(toFrame(packet(1)));
    await clock.advance(39_999);
    expect(ends).toEqual([]);
    await clock.advance(1);
    expect(ends).toEqual([{ code: "network", message: "no answer to a ping within 10 s" }]);
    expect(closes).toBe(1);
  });

  test("comes once, leaves no timer, and nothing is sent after", async () => {
    await openTogether();
    relay.send(packet(1));
    relay.send(packet(2));
    other?.onClose(4409, "");
    other?.onClose(1006, "");
    relay.send(packet(3));
    relay.close();
    await clock.advance(100_000);
    expect(ends.map(({ code }) => code)).toEqual(["replaced"]);
    expect([sent, clock.pending(), relay.stats().queuedBytes]).toEqual([[[1]], 0, 0]);
  });

  test.each<[ApiFailure, string]>([
    [{ code: "network", message: "" }, "network"],
    [
      { code: "refused", status: 403, problem: "relay_ticket_invalid", message: "", retryAfterMs: null },
      "relay_ticket_invalid",
    ],
    [{ code: "foreign", status: 407, message: "", retryAfterMs: null }, "foreign"],
  ])("of an opening that failed says why: %o", async (failure, code) => {
    answer(err(failure));
    await clock.advance(0);
    expect(ends.map((end) => end.code)).toEqual([code]);
    expect(clock.pending()).toBe(0);
  });

  test("does not come to who closed before it opened", async () => {
    relay.close();
    await open();
    await clock.advance(100_000);
    expect([ends, closes, clock.pending()]).toEqual([[], 1, 0]);
  });
});
