import { describe, expect, test } from "vitest";
import { ok } from "#schema/result";
import type { SocketEvents } from "../system/http.ts";
import { createFakeClock } from "../testing/fake-clock.ts";
import type { MachineApi } from "./machine-api.ts";
import { createSocketTransport } from "./socket.ts";
import { TEST_TIMINGS } from "./transport.contract.ts";
import type { LinkEnd } from "./transport.ts";
import { watchWake } from "./watch-wake.ts";

/** A transport on a socket that a test holds the other end of. */
async function setUp() {
  const clock = createFakeClock();
  const sent: string[] = [];
  const ends: LinkEnd[] = [];
  const messages: unknown[] = [];
  let other: SocketEvents | null = null;
  let isOrphaned = false;
  const socket = {
    send: (text: string) => sent.push(text),
    close: () => undefined,
    listen: (events: SocketEvents) => {
      other = events;
    },
    isOrphaned: () => isOrphaned,
  };
  const api = { openSocket: async () => ok(socket) } as unknown as MachineApi;
  const target = { path: "/x", greet: () => ({ type: "hello" }), pollQuery: () => ({}) };
  const opened = await createSocketTransport(api, clock, TEST_TIMINGS).open(target, new AbortController().signal);
  if (!opened.ok) throw new Error("not opened");
  opened.value.listen({ onMessage: (message) => messages.push(message), onEnd: (end) => ends.push(end) });
  const receive = (text: string) => (other as SocketEvents | null)?.onText(text);
  const pings = () => sent.filter((text) => text === "ping").length;
  const loseAddress = () => {
    isOrphaned = true;
  };
  return { clock, channel: opened.value, sent, ends, messages, receive, pings, loseAddress };
}

describe("a socket", () => {
  test("greets first", async () => {
    expect((await setUp()).sent).toEqual(['{"type":"hello"}']);
  });

  test("pings every 30 s also when messages never stop coming: presence is read from the pings", async () => {
    const { clock, receive, pings, ends } = await setUp();
    for (let seconds = 0; seconds < 120; seconds++) {
      await clock.advance(1_000);
      receive('{"type":"x"}');
    }
    expect([pings(), ends]).toEqual([4, []]);
  });

  test("is dead when nothing comes after a ping", async () => {
    const { clock, receive, ends } = await setUp();
    await clock.advance(30_000);
    receive("pong");
    await clock.advance(39_000);
    expect(ends).toEqual([]);
    await clock.advance(2_000);
    expect(ends).toMatchObject([{ code: "network", message: expect.stringContaining("no answer to a ping") }]);
  });

  test("keeps pongs to itself", async () => {
    const { receive, messages } = await setUp();
    receive("pong");
    receive("1");
    expect(messages).toEqual([1]);
  });

  test("has to prove itself soon when it is doubted", async () => {
    const { clock, channel, receive, ends } = await setUp();
    channel.probe();
    receive("pong");
    await clock.advance(TEST_TIMINGS.probeTimeoutMs);
    expect(ends).toEqual([]);
    channel.probe();
    await clock.advance(TEST_TIMINGS.probeTimeoutMs);
    expect(ends).toHaveLength(1);
  });

  test("is dead at once when its own address is gone", async () => {
    const { channel, ends, loseAddress } = await setUp();
    loseAddress();
    channel.probe();
    expect(ends).toMatchObject([{ message: "this machine's address changed" }]);
  });
});

test("a sleep of the machine is noticed; a busy second is not, nor a clock that was set", async () => {
  const clock = createFakeClock();
  let sleptMs = 0;
  let wakes = 0;
  watchWake({ ...clock, now: () => clock.now() + sleptMs }, () => wakes++, new AbortController().signal);
  await clock.advance(60_000);
  sleptMs += 8_000;
  await clock.advance(60_000);
  clock.setWall(3_600_000);
  await clock.advance(60_000);
  expect(wakes).toBe(0);
  sleptMs += 3_600_000;
  await clock.advance(5_000);
  expect(wakes).toBe(1);
});
