import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { MAX_RELAY_FRAME_BYTES, RELAY_QUEUE_BYTES, RELAY_WINDOW_BYTES } from "#schema/wire/relay";
import { eventually } from "../testing/eventually.ts";
import { createTestRelay, type RelaySide } from "../testing/test-relay.ts";

/** A frame of `byteLength` whose first four bytes are `number`. */
function toFrame(number: number, byteLength = 100): Uint8Array {
  const frame = new Uint8Array(byteLength);
  new DataView(frame.buffer).setUint32(0, number);
  return frame;
}
const toNumber = (frame: Uint8Array) => new DataView(frame.buffer).getUint32(0);
const numbersOf = ({ frames }: RelaySide) => frames.map(toNumber);
const expectNumbers = (side: RelaySide, numbers: readonly number[]) =>
  eventually(async () => expect(numbersOf(side)).toEqual(numbers));
const expectPeer = (side: RelaySide, told: readonly boolean[]) =>
  eventually(async () => expect(side.peer).toEqual(told));

test("frames pass both ways, as they are and in order", async () => {
  const [one, other] = await (await createTestRelay()).openBoth();
  const frame = crypto.getRandomValues(new Uint8Array(MAX_RELAY_FRAME_BYTES));
  one.send(frame);
  one.send(toFrame(1));
  other.send(toFrame(2));
  await eventually(async () => expect(other.frames).toEqual([frame, toFrame(1)]));
  await expectNumbers(one, [2]);
});

describe("the other side", () => {
  test("is told of on opening and at every change", async () => {
    const relay = await createTestRelay();
    const one = await relay.open(relay.one, relay.other);
    await expectPeer(one, [false]);
    const other = await relay.open(relay.other, relay.one);
    await expectPeer(other, [true]);
    await expectPeer(one, [false, true]);
    other.close();
    await expectPeer(one, [false, true, false]);
  });

  test("is the one on its newer connection, which is no news", async () => {
    const relay = await createTestRelay();
    const [one, older] = await relay.openBoth();
    const newer = await relay.open(relay.other, relay.one);
    expect(await older.closed).toMatchObject({ code: 4409 });
    one.send(toFrame(1));
    await expectNumbers(newer, [1]);
    expect([one.peer, newer.peer, older.frames]).toEqual([[false, true], [true], []]);
  });

  test("misses what is sent while it is not there", async () => {
    const relay = await createTestRelay();
    const one = await relay.open(relay.one, relay.other);
    one.send(toFrame(1));
    const other = await relay.open(relay.other, relay.one);
    one.send(toFrame(2));
    await expectNumbers(other, [2]);
  });

  test("that goes while the object sleeps is told of", async () => {
    const relay = await createTestRelay();
    const [one, other] = await relay.openBoth();
    await expectPeer(one, [false, true]);
    await evictDurableObject(relay.stub);
    other.close();
    await expectPeer(one, [false, true, false]);
  });
});

describe("a receiver that does not acknowledge", () => {
  const FRAME_BYTES = 8 * 1_024;
  const WINDOW_FRAMES = RELAY_WINDOW_BYTES / FRAME_BYTES;
  const QUEUE_FRAMES = RELAY_QUEUE_BYTES / FRAME_BYTES;
  const range = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index);

  function sendAll(side: RelaySide, numbers: readonly number[]): void {
    for (const number of numbers) side.send(toFrame(number, FRAME_BYTES));
  }

  test("gets a window, and then the newest", async () => {
    const [one, other] = await (await createTestRelay()).openBoth();
    sendAll(one, range(0, 300));
    one.close();
    // What a socket brought is handled before its end.
    await expectPeer(other, [true, false]);
    expect(numbersOf(other)).toEqual(range(0, WINDOW_FRAMES));
    other.acknowledge(RELAY_WINDOW_BYTES);
    await expectNumbers(other, [...range(0, WINDOW_FRAMES), ...range(300 - QUEUE_FRAMES, QUEUE_FRAMES)]);
  });

  test("has the same window when the object was away, and it opens again", async () => {
    const relay = await createTestRelay();
    const [one, other] = await relay.openBoth();
    sendAll(one, range(0, WINDOW_FRAMES));
    await expectNumbers(other, range(0, WINDOW_FRAMES));
    await evictDurableObject(relay.stub);
    sendAll(one, [WINDOW_FRAMES]);
    // It is closed for this, after what it brought before was handled.
    one.send("no message");
    await expectPeer(other, [true, false]);
    expect(numbersOf(other)).toEqual(range(0, WINDOW_FRAMES));
    other.acknowledge(FRAME_BYTES);
    await expectNumbers(other, range(0, WINDOW_FRAMES + 1));
  });

  test("gets frames again when what waited for it was lost with the object's memory", async () => {
    const relay = await createTestRelay();
    const [one, other] = await relay.openBoth();
    sendAll(one, range(0, WINDOW_FRAMES + 10));
    await expectNumbers(other, range(0, WINDOW_FRAMES));
    await evictDurableObject(relay.stub);
    other.acknowledge(RELAY_WINDOW_BYTES);
    one.send(toFrame(1_000));
    await eventually(async () => expect(numbersOf(other)).toContain(1_000));
  });

  test("begins with a whole window on a new connection", async () => {
    const relay = await createTestRelay();
    const [one, older] = await relay.openBoth();
    sendAll(one, range(0, WINDOW_FRAMES));
    await expectNumbers(older, range(0, WINDOW_FRAMES));
    const newer = await relay.open(relay.other, relay.one);
    one.send(toFrame(1_000));
    await expectNumbers(newer, [1_000]);
  });
});

describe("a relay whose sides were members ten minutes ago", () => {
  async function openLongAgo() {
    const relay = await createTestRelay();
    for (const { machineId } of [relay.one, relay.other]) await relay.mesh.add(machineId);
    const sides = await relay.openBoth();
    await expectPeer(sides[0], [false, true]);
    const age = (byMs: number) =>
      runInDurableObject(relay.stub, (_, ctx) => {
        for (const webSocket of ctx.getWebSockets()) {
          const attachment = webSocket.deserializeAttachment();
          const state = { ...attachment.state, membersAt: attachment.state.membersAt - byMs };
          webSocket.serializeAttachment({ ...attachment, state });
        }
      });
    return { ...relay, sides, age };
  }

  test("ends when one of them is no member any more and something passes, for both", async () => {
    const relay = await openLongAgo();
    const [one, other] = relay.sides;
    await relay.mesh.remove(relay.other.machineId);
    one.send(toFrame(1));
    await expectNumbers(other, [1]);
    await relay.age(600_000);
    await evictDurableObject(relay.stub);
    one.send(toFrame(2));
    expect([await one.closed, await other.closed]).toMatchObject([{ code: 4403 }, { code: 4403 }]);
  });

  test("ends with its mesh", async () => {
    const relay = await openLongAgo();
    await relay.mesh.mesh.close();
    await relay.age(600_000);
    await evictDurableObject(relay.stub);
    relay.sides[1].acknowledge(0);
    expect(await relay.sides[0].closed).toMatchObject({ code: 4403 });
  });

  test("goes on when both still are, and asks no more for as long", async () => {
    const relay = await openLongAgo();
    const [one, other] = relay.sides;
    await relay.age(600_000);
    await evictDurableObject(relay.stub);
    one.send(toFrame(1));
    await expectNumbers(other, [1]);
    const readMembersAt = () =>
      runInDurableObject(relay.stub, (_, ctx) =>
        ctx.getWebSockets().map((webSocket) => Number(webSocket.deserializeAttachment().state.membersAt)),
      );
    await eventually(async () => expect(Date.now() - Math.min(...(await readMembersAt()))).toBeLessThan(60_000));
    await relay.mesh.remove(relay.other.machineId);
    other.send(toFrame(2));
    await expectNumbers(one, [2]);
  });
});

test("sockets outlive hibernation, and frames pass afterwards as before", async () => {
  const relay = await createTestRelay();
  const [one, other] = await relay.openBoth();
  for (const number of [1, 2, 3]) {
    await evictDurableObject(relay.stub);
    one.send(toFrame(number));
    other.send(toFrame(number));
    await expectNumbers(other, [1, 2, 3].slice(0, number));
    await expectNumbers(one, [1, 2, 3].slice(0, number));
  }
  expect([one.peer, other.peer]).toEqual([[false, true], [true]]);
});

test("a ping is answered", async () => {
  const [one] = await (await createTestRelay()).openBoth();
  one.send("ping");
  await eventually(async () => expect(one.pongs()).toBe(1));
});

describe("what closes a socket", () => {
  test.each<[string, string | Uint8Array, string]>([
    ["a frame that is too long", new Uint8Array(MAX_RELAY_FRAME_BYTES + 1), "body_too_large"],
    ["text that is no JSON", "{", "malformed_json"],
    ["an acknowledgement of nothing", '{"type":"relay.ack"}', "validation_failed: bytes"],
    ["a negative acknowledgement", '{"type":"relay.ack","bytes":-1}', "validation_failed: bytes"],
    [
      "an acknowledgement of more than was sent",
      '{"type":"relay.ack","bytes":1}',
      "more was acknowledged than was sent",
    ],
  ])("%s", async (_, frame, reason) => {
    const [one, other] = await (await createTestRelay()).openBoth();
    one.send(frame);
    const closed = await one.closed;
    expect(closed.code).toBe(4400);
    expect(closed.reason).toContain(reason);
    await expectPeer(other, [true, false]);
    expect(other.frames).toEqual([]);
  });

  test("not: a message of unknown type, an acknowledgement of all that was sent, a frame that holds no packet", async () => {
    const [one, other] = await (await createTestRelay()).openBoth();
    one.send('{"type":"relay.new"}');
    other.send(toFrame(2, 100));
    await expectNumbers(one, [2]);
    one.acknowledge(100);
    for (const byteLength of [0, 1, 21]) one.send(new Uint8Array(byteLength));
    one.send(toFrame(1, 22));
    await expectNumbers(other, [1]);
  });
});

test("nothing is stored, whatever passed", async () => {
  const relay = await createTestRelay();
  const [one, other] = await relay.openBoth();
  one.send(toFrame(1));
  await expectNumbers(other, [1]);
  other.close();
  await expectPeer(one, [false, true, false]);
  await runInDurableObject(relay.stub, async (_, { storage }) => {
    expect([...(await storage.list()), await storage.getAlarm()]).toEqual([null]);
    expect(
      storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'").toArray(),
    ).toEqual([]);
  });
});
