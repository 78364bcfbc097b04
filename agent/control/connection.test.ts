import { describe, expect, test } from "vitest";
import { err, ok, type Result } from "#schema/result";
import { DEFAULT_TIMINGS } from "../config.ts";
import { createLogger } from "../system/logger.ts";
import { createFakeClock } from "../testing/fake-clock.ts";
import { createConnection, type StopReason } from "./connection.ts";
import type { Channel, ChannelEvents, LinkEnd, Transport } from "./transport.ts";

const NETWORK: LinkEnd = { code: "network", message: "nothing answers" };
const FOREIGN: LinkEnd = { code: "foreign", message: "a proxy answers", retryAfterMs: null };
const HEARTBEAT_MS = 180_000;

/** What an attempt to open meets; null: it opens. */
type Meets = Record<Transport["name"], LinkEnd | null | "never">;

interface FakeChannel extends Channel {
  readonly transport: Transport["name"];
  readonly sent: object[];
  probes: number;
  isClosed: boolean;
  /** The other side speaks, or ends it. */
  tell(message: unknown): void;
  end(end: LinkEnd): void;
}

/** A connection whose transports answer what a test wants. */
function setUp({ random = () => 0.5, ...met }: Partial<Meets> & { readonly random?: () => number } = {}) {
  const clock = createFakeClock();
  const startedAt = clock.now();
  const meets: Meets = { websocket: null, "long-poll": null, ...met };
  const attempts: string[] = [];
  const channels: FakeChannel[] = [];
  const messages: unknown[] = [];
  const stops: StopReason[] = [];
  const logs: string[] = [];

  const createTransport = (name: Transport["name"]): Transport => ({
    name,
    open: (_, signal) => {
      attempts.push(`${name} at ${clock.now() - startedAt}`);
      return new Promise<Result<Channel, LinkEnd>>((resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        const met = meets[name];
        if (met === "never") return;
        if (met !== null) return resolve(err(met));
        const channel = createFakeChannel(name);
        channels.push(channel);
        resolve(ok(channel));
      });
    },
  });
  const connection = createConnection({
    target: { path: "/x", greet: () => ({ type: "hello" }), pollQuery: () => ({}) },
    webSocket: createTransport("websocket"),
    longPoll: createTransport("long-poll"),
    heartbeatMs: HEARTBEAT_MS,
    timings: DEFAULT_TIMINGS,
    clock,
    random,
    log: createLogger({ level: "debug", format: "json", now: clock.now, write: (line) => logs.push(line) }),
    onMessage: (message) => {
      if (message === "poison") throw new Error("poisoned");
      messages.push(message);
    },
    toHeartbeat: () => ({ type: "heartbeat" }),
    onStopped: (reason) => stops.push(reason),
  });
  connection.start();
  const newest = () => {
    const channel = channels.at(-1);
    if (channel === undefined) throw new Error("nothing was opened");
    return channel;
  };
  return { clock, connection, meets, attempts, channels, newest, messages, stops, logs };
}

function createFakeChannel(transport: Transport["name"]): FakeChannel {
  let events: ChannelEvents | null = null;
  const channel: FakeChannel = {
    transport,
    sent: [],
    probes: 0,
    isClosed: false,
    listen: (listener) => {
      events = listener;
    },
    send: (message) => channel.sent.push(message),
    probe: () => {
      channel.probes++;
    },
    close: () => {
      channel.isClosed = true;
    },
    tell: (message) => events?.onMessage(message),
    end: (end) => events?.onEnd(end),
  };
  return channel;
}

describe("a connection", () => {
  test("takes the WebSocket where it opens, and says so", async () => {
    const { clock, connection, newest, messages, attempts } = setUp();
    await clock.advance(0);
    newest().tell("hello");
    connection.send({ type: "x" });
    expect([attempts, messages, newest().sent]).toEqual([["websocket at 0"], ["hello"], [{ type: "x" }]]);
    expect(connection.state()).toMatchObject({ kind: "connected", transport: "websocket" });
  });

  test("polls where no WebSocket opens, and takes it as soon as it opens", async () => {
    const { clock, connection, meets, channels, newest } = setUp({ websocket: FOREIGN });
    await clock.advance(0);
    newest().tell("hello");
    expect(connection.state()).toMatchObject({ transport: "long-poll" });
    await clock.advance(DEFAULT_TIMINGS.webSocketRetryMs);
    newest().tell("answer to the heartbeat");
    meets.websocket = null;
    await clock.advance(45_000);
    expect(connection.state()).toMatchObject({ transport: "websocket" });
    expect(channels.map(({ isClosed }) => isClosed)).toEqual([true, false]);
  });

  test("polls for a quarter of a minute only where the WebSocket did not open once, then tries more and more seldom", async () => {
    const { clock, connection, meets, attempts, newest } = setUp({ websocket: NETWORK });
    await clock.advance(0);
    newest().tell("hello");
    await clock.advance(20_000);
    expect(attempts).toEqual(["websocket at 0", "long-poll at 0", "websocket at 15000"]);
    meets.websocket = null;
    await clock.advance(30_000);
    expect(connection.state()).toMatchObject({ transport: "websocket" });
    expect(attempts.at(-1)).toBe("websocket at 45000");
  });

  test("tries one that opens and is cut at once more and more seldom, too, until one lives or the network changes", async () => {
    const { clock, connection, newest } = setUp({ random: () => 0 });
    await clock.advance(0);
    /** Cuts every WebSocket until it polls; answers after how many seconds of polling the next one opens. */
    const cut = async () => {
      for (; newest().transport === "websocket"; await clock.advance(1)) newest().end(NETWORK);
      const sinceMs = clock.now();
      for (; newest().transport === "long-poll"; await clock.advance(1_000)) newest().tell("answer");
      return Math.round((clock.now() - sinceMs) / 1_000);
    };
    expect([await cut(), await cut(), await cut(), await cut()]).toEqual([15, 30, 60, 120]);
    newest().tell("hello");
    await clock.advance(DEFAULT_TIMINGS.shortLifeMs);
    expect([await cut(), await cut()]).toEqual([15, 30]);
    connection.networkChanged();
    expect(await cut()).toBe(15);
  });

  test("polls after two WebSockets that died young, and begins with the WebSocket once polling fails too", async () => {
    const { clock, meets, attempts, newest } = setUp();
    await clock.advance(0);
    newest().end(NETWORK);
    await clock.advance(1_000);
    newest().end(NETWORK);
    meets["long-poll"] = NETWORK;
    await clock.advance(1_000);
    meets["long-poll"] = null;
    await clock.advance(10_000);
    expect(attempts.map((each) => each.split(" ")[0])).toEqual(["websocket", "websocket", "long-poll", "websocket"]);
  });

  test("waits longer each time nothing answers, tells why, and forgets it after a link that lived", async () => {
    const { clock, connection, meets, attempts, newest } = setUp({
      random: () => 1,
      websocket: NETWORK,
      "long-poll": FOREIGN,
    });
    await clock.advance(3_750);
    expect(attempts.filter((each) => each.startsWith("websocket"))).toEqual(
      [0, 250, 750, 1_750, 3_750].map((at) => `websocket at ${at}`),
    );
    expect(connection.state()).toMatchObject({ kind: "waiting", reason: "a proxy answers" });
    meets.websocket = null;
    await clock.advance(4_000);
    await clock.advance(DEFAULT_TIMINGS.shortLifeMs);
    newest().end(NETWORK);
    await clock.advance(0);
    expect(connection.state()).toMatchObject({ kind: "waiting", untilMs: clock.now() + 250 });
  });

  test("comes back no sooner than it was asked to", async () => {
    const { clock, connection } = setUp({ websocket: { code: "busy", message: "later", retryAfterMs: 20_000 } });
    await clock.advance(0);
    expect(connection.state()).toMatchObject({ kind: "waiting", untilMs: clock.now() + 20_125 });
  });

  test("is not ended by a message that can't be handled", async () => {
    const { clock, connection, newest, messages, logs } = setUp();
    await clock.advance(0);
    newest().tell("poison");
    newest().tell("hello");
    expect([connection.state().kind, messages, logs.join()]).toEqual([
      "connected",
      ["hello"],
      expect.stringContaining("poisoned"),
    ]);
  });

  test("connects anew when its greeting or its heartbeat is not answered", async () => {
    const { clock, channels, newest } = setUp();
    await clock.advance(DEFAULT_TIMINGS.answerTimeoutMs + 250);
    expect(channels.map(({ isClosed }) => isClosed)).toEqual([true, false]);
    newest().tell("hello");
    await clock.advance(HEARTBEAT_MS);
    expect(newest().sent).toEqual([{ type: "heartbeat" }]);
    newest().tell("position");
    await clock.advance(HEARTBEAT_MS - 1);
    expect(channels).toHaveLength(2);
    await clock.advance(1 + DEFAULT_TIMINGS.answerTimeoutMs + 250);
    expect(channels).toHaveLength(3);
  });

  test("hears nothing from a channel that it left", async () => {
    const { clock, newest, messages } = setUp();
    await clock.advance(0);
    const first = newest();
    await clock.advance(DEFAULT_TIMINGS.answerTimeoutMs + 250);
    first.tell("late");
    first.end({ code: "removed", message: "late" });
    expect([messages, newest().isClosed]).toEqual([[], false]);
  });

  test("tries again within 10 s, however long nothing answered", async () => {
    const { clock, meets, channels } = setUp({ random: () => 1, websocket: NETWORK, "long-poll": NETWORK });
    await clock.advance(300_000);
    Object.assign(meets, { websocket: null, "long-poll": null });
    await clock.advance(10_000);
    expect(channels.length).toBe(1);
  });
});

describe("a connection that is refused", () => {
  test.each(["removed", "machine_removed"] as const)("ends for good: %s", async (code) => {
    const { clock, connection, newest, stops, attempts } = setUp();
    await clock.advance(0);
    newest().end({ code, message: "out" });
    await clock.advance(3_600_000);
    expect([stops, connection.state(), attempts.length, clock.pending()]).toEqual([
      [{ code, message: "out" }],
      { kind: "stopped", reason: "out" },
      1,
      0,
    ]);
  });

  const PATIENT = ["replaced", "wire_version", "rejected"] as const;
  const toEnd = (code: (typeof PATIENT)[number]): LinkEnd =>
    code === "rejected" ? { code, problem: "forbidden", message: "not now" } : { code, message: "not now" };

  test.each(PATIENT)("waits half a minute at the least and says why: %s", async (code) => {
    const { clock, connection, newest, stops, channels } = setUp({ random: () => 0 });
    await clock.advance(0);
    newest().end(toEnd(code));
    await clock.advance(29_999);
    expect([stops, connection.state()]).toMatchObject([[], { kind: "waiting", reason: "not now" }]);
    await clock.advance(1);
    expect([channels.length, connection.state().kind]).toEqual([2, "connected"]);
  });

  test.each(PATIENT)("comes back ever less often, up to 5 minutes, though it lives in between: %s", async (code) => {
    const { clock, newest, channels } = setUp({ random: () => 1 });
    const waits: number[] = [];
    for (let turn = 0; turn < 5; turn++) {
      await clock.advance(0);
      newest().tell("hello");
      await clock.advance(60_000);
      const [count, from] = [channels.length, clock.now()];
      newest().end(toEnd(code));
      while (channels.length === count) await clock.advance(10_000);
      waits.push((clock.now() - from) / 1_000);
    }
    expect(waits).toEqual([60, 120, 240, 300, 300]);
  });

  test.each(PATIENT)(
    "does so too when it is not even let in, and does not try the other transport: %s",
    async (code) => {
      const { clock, connection, attempts } = setUp({ random: () => 0, websocket: toEnd(code) });
      await clock.advance(30_000);
      expect([attempts, connection.state()]).toMatchObject([
        ["websocket at 0", "websocket at 30000"],
        { kind: "waiting" },
      ]);
    },
  );
});

describe("a connection on a network that changed", () => {
  test("tries at once what it waits for", async () => {
    const { clock, connection, newest, channels } = setUp({ random: () => 1 });
    await clock.advance(0);
    newest().end({ code: "replaced", message: "" });
    await clock.advance(0);
    connection.networkChanged();
    await clock.advance(0);
    expect([channels.length, connection.state().kind]).toEqual([2, "connected"]);
  });

  test("has to prove that it lives", async () => {
    const { clock, connection, newest } = setUp();
    await clock.advance(0);
    connection.networkChanged();
    expect(newest().probes).toBe(1);
  });

  test("is made anew at once, however often that happens, and stays a WebSocket", async () => {
    const { clock, connection, newest, attempts } = setUp({ random: () => 1 });
    for (let change = 0; change < 6; change++) {
      await clock.advance(0);
      newest().tell("hello");
      await clock.advance(1_000);
      connection.networkChanged();
      newest().end(NETWORK);
    }
    await clock.advance(0);
    expect(attempts).toEqual([0, 1, 2, 3, 4, 5, 6].map((second) => `websocket at ${second * 1_000}`));
  });

  test("waits again when what was opened on the new network ends too", async () => {
    const { clock, connection, newest, channels } = setUp({ random: () => 1 });
    await clock.advance(0);
    connection.networkChanged();
    await clock.advance(10);
    newest().end(NETWORK);
    await clock.advance(10);
    newest().end(NETWORK);
    await clock.advance(DEFAULT_TIMINGS.backoff.firstMs - 1);
    expect(channels.length).toBe(2);
    await clock.advance(1);
    expect(channels.length).toBe(3);
  });

  test("waits like all others when it ends long after the change", async () => {
    const { clock, connection, newest, channels } = setUp({ random: () => 1 });
    await clock.advance(0);
    newest().tell("hello");
    connection.networkChanged();
    await clock.advance(DEFAULT_TIMINGS.openTimeoutMs + 1);
    newest().end(NETWORK);
    await clock.advance(DEFAULT_TIMINGS.backoff.firstMs - 1);
    expect(channels.length).toBe(1);
    await clock.advance(1);
    expect(channels.length).toBe(2);
  });

  test("gives up an attempt that was begun on the network before", async () => {
    const { clock, connection, meets, attempts } = setUp({ websocket: "never" });
    await clock.advance(1_000);
    connection.networkChanged();
    meets.websocket = null;
    await clock.advance(DEFAULT_TIMINGS.probeTimeoutMs);
    expect(attempts).toEqual(["websocket at 0", `websocket at ${1_000 + DEFAULT_TIMINGS.probeTimeoutMs}`]);
    expect(connection.state()).toMatchObject({ kind: "connected" });
  });
});

describe("a connection that is stopped", () => {
  test.each<[string, LinkEnd | null | "never"]>([
    ["opening", "never"],
    ["connected", null],
    ["polling", FOREIGN],
    ["waiting", { code: "busy", message: "later", retryAfterMs: null }],
  ])("leaves nothing behind: %s", async (_, websocket) => {
    const { clock, connection, channels, attempts, stops } = setUp({ websocket });
    await clock.advance(0);
    connection.stop();
    const before = attempts.length;
    await clock.advance(3_600_000);
    expect([attempts.length, clock.pending(), stops]).toEqual([before, 0, []]);
    expect(channels.every(({ isClosed }) => isClosed)).toBe(true);
    expect(connection.state()).toMatchObject({ kind: "stopped" });
  });

  test("also while the WebSocket that is to follow a poll is being opened", async () => {
    const { clock, connection, meets, newest, channels } = setUp({ websocket: FOREIGN });
    await clock.advance(0);
    newest().tell("hello");
    meets.websocket = "never";
    await clock.advance(DEFAULT_TIMINGS.webSocketRetryMs);
    connection.stop();
    await clock.advance(0);
    expect([channels.map(({ isClosed }) => isClosed), clock.pending()]).toEqual([[true], 0]);
  });
});
