// How much a watcher gets, by a clock that the test holds, over a socket that keeps what is sent.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ANYTHING, FromLiveMessage, type LiveChanged, type LiveTelemetry } from "#schema/live/messages";
import { MAX_UNSEEN_CHARACTERS, MAX_UNSEEN_FRAMES, WATCH_LEASE_MS } from "#schema/live/pace";
import { createLogger } from "../../log.ts";
import { createMachineId, createMeshId } from "../../testing/fake-agent.ts";
import { createExplanation } from "../../testing/test-telemetry.ts";
import type { KeptReport } from "../links/telemetry.ts";
import type { MeshRecord } from "../storage.ts";
import { MAX_UNSEEN_OF_ONE } from "./backlog.ts";
import { createLive, HINT_EVERY_MS } from "./live.ts";
import { createWatchers } from "./watchers.ts";

const machineId = createMachineId();

/** A socket whose other end reads nothing before it says so. */
function createSocket(openedAt: number, actor = "user:a") {
  const texts: string[] = [];
  let attachment: unknown = { actor, openedAt, machines: [] };
  const socket = {
    ...{ texts, readyState: WebSocket.OPEN as number },
    send: (text: string) => void texts.push(text),
    close() {
      socket.readyState = WebSocket.CLOSING;
    },
    serializeAttachment(value: unknown) {
      attachment = value;
    },
    deserializeAttachment: () => attachment,
  };
  return socket;
}
type Socket = ReturnType<typeof createSocket>;

function createScene({ peerCount = 1, reason = "direct", actors = ["user:a"] } = {}) {
  const at = { nowMs: 1_000_000 };
  const sockets = actors.map((actor) => createSocket(at.nowMs, actor));
  const meshId = createMeshId();
  const wake = () => {
    const ctx = { getWebSockets: () => sockets } as unknown as DurableObjectState;
    return createLive({
      watchers: createWatchers(ctx, () => at.nowMs),
      storage: { readMember: () => ({}) as never },
      readOpenMesh: () => ({ revision: 1 }) as MeshRecord,
      toTelemetry: (_, __, report) => ({ ...report, peers: [...report.peers], endpoints: [], announcements: [] }),
      follow: () => undefined,
      now: () => at.nowMs,
      log: createLogger("error"),
    });
  };
  let live = wake();
  const peers = Array.from({ length: peerCount }, () =>
    createExplanation(meshId, createMachineId(), { reason: { code: "direct", message: reason } }),
  );
  const report = { peers, endpoints: [], nat: null, announcements: [], isSteady: true, receivedAt: 0 } as KeptReport;
  const [first] = sockets as [Socket];
  const read = (socket: Socket) => socket.texts.map((text) => FromLiveMessage.parse(JSON.parse(text)));
  const framesOf = (socket: Socket) =>
    read(socket).filter((message): message is LiveTelemetry => message.type === "live.telemetry");
  const hints = () => read(first).filter((message): message is LiveChanged => message.type === "live.changed");
  const say = (socket: Socket, message: object) =>
    live.receiveFrame(socket as unknown as WebSocket, JSON.stringify({ type: "live.watch", ...message }));
  return {
    ...{ sockets, framesOf, hints },
    frames: () => framesOf(first),
    isWatched: () => live.isWatched(machineId),
    watch: (seenMark: string | null = null, socket = first) => say(socket, { machines: [{ machineId }], seenMark }),
    seeAll: () => say(first, { machines: [], seenMark: markOf(first) }),
    close: (socket: Socket) => live.receiveFrame(socket as unknown as WebSocket, "{"),
    drop: (socket: Socket) => live.dropped(socket as unknown as WebSocket),
    /** The object sleeps, and wakes. */
    sleep() {
      live = wake();
    },
    /** One report every so often; agents tell once a second. */
    pass(seconds: number, everyMs = 1_000) {
      for (let ms = 0; ms < seconds * 1_000; ms += everyMs) {
        at.nowMs += everyMs;
        if (live.isWatched(machineId)) live.passOn(machineId, report);
      }
    },
    /** Something changes, and it is told or not. */
    async change() {
      at.nowMs += HINT_EVERY_MS;
      live.note("members", machineId);
      await vi.advanceTimersByTimeAsync(HINT_EVERY_MS);
    },
  };
}
const markOf = (socket: Socket): string => JSON.parse(socket.texts.at(-1) ?? "{}").mark;

describe("telemetry", () => {
  it("ends with the lease that nobody renewed", () => {
    const { frames, isWatched, watch, pass } = createScene();
    watch();
    pass(WATCH_LEASE_MS / 1_000 + 10);
    expect(frames()).toHaveLength(WATCH_LEASE_MS / 1_000);
    expect(isWatched()).toBe(false);
    watch();
    pass(1);
    expect(frames()).toHaveLength(WATCH_LEASE_MS / 1_000 + 1);
  });

  it("waits for who does not see what came, whatever it says of what did not", () => {
    const { sockets, frames, watch, pass } = createScene();
    for (const mark of [null, "1000000000", "", "0", null, "guessed", null, null, null]) {
      watch(mark);
      pass(10);
    }
    expect(frames()).toHaveLength(MAX_UNSEEN_FRAMES);
    watch(markOf(sockets[0] as Socket));
    pass(3);
    expect(frames()).toHaveLength(MAX_UNSEEN_FRAMES + 3);
  });

  it("waits for it also when the object slept meanwhile", () => {
    const { sockets, frames, watch, pass, sleep } = createScene({ peerCount: 500, reason: "x".repeat(200) });
    const characters = () => (sockets[0] as Socket).texts.reduce((sum, { length }) => sum + length, 0);
    for (let count = 0; count < 5; count++) {
      watch();
      pass(10);
      sleep();
    }
    expect(characters()).toBeGreaterThanOrEqual(MAX_UNSEEN_CHARACTERS);
    expect(characters()).toBeLessThan(MAX_UNSEEN_CHARACTERS + 500_000);
    const before = frames().length;
    watch(markOf(sockets[0] as Socket));
    pass(1);
    expect(frames()).toHaveLength(before + 1);
  });

  it("waits for all sockets of one who reads none of them, closed ones too, and for nobody else", () => {
    const scene = createScene({
      peerCount: 500,
      reason: "x".repeat(200),
      actors: [...Array(6).fill("user:a"), "user:b"],
    });
    const mine = scene.sockets.slice(0, 6);
    const other = scene.sockets[6] as Socket;
    const characters = () => mine.flatMap(({ texts }) => texts).reduce((sum, { length }) => sum + length, 0);
    const readOn = (seconds: number) => {
      for (let second = 0; second < seconds; second++) {
        for (const socket of mine) if (second % 10 === 0) scene.watch(null, socket);
        if (second % 2 === 0) scene.watch(other.texts.length === 0 ? null : markOf(other), other);
        scene.pass(1);
      }
    };
    readOn(20);
    expect(characters()).toBeGreaterThanOrEqual(MAX_UNSEEN_OF_ONE);
    expect(characters()).toBeLessThan(MAX_UNSEEN_OF_ONE + 500_000);
    expect(other.texts).toHaveLength(20);
    // What was sent to it waits in it still.
    const [first] = mine as [Socket];
    scene.close(first);
    const before = characters();
    readOn(1);
    expect(characters()).toBe(before);
    scene.drop(first);
    readOn(1);
    expect(characters()).toBeGreaterThan(before);
  });

  it.each([
    ["many peers", { peerCount: 1_500 }],
    ["long frames", { peerCount: 100, reason: "x".repeat(10_000) }],
  ])("comes more slowly where there is much of it: %s", (_, scene) => {
    const { sockets, frames, watch, pass } = createScene(scene);
    for (let second = 0; second < 12; second++) {
      watch(frames().length === 0 ? null : markOf(sockets[0] as Socket));
      pass(1);
    }
    expect(frames()).toHaveLength(4);
  });

  it.each([0, 1])("comes once a second, however often a machine with %i peers tells", (peerCount) => {
    const { frames, watch, pass } = createScene({ peerCount });
    watch();
    pass(10, 100);
    expect(frames().length).toBeLessThanOrEqual(13);
  });
});

describe("hints", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout"] }));
  afterEach(() => void vi.useRealTimers());

  it("wait for who does not see them, and are then one, for anything", async () => {
    const { hints, change, seeAll } = createScene();
    for (let count = 0; count < MAX_UNSEEN_FRAMES + 5; count++) await change();
    expect(hints()).toHaveLength(MAX_UNSEEN_FRAMES);
    seeAll();
    expect(hints().slice(MAX_UNSEEN_FRAMES)).toMatchObject([{ changes: [{ resource: ANYTHING, machineIds: null }] }]);
    await change();
    expect(hints().at(-1)).toMatchObject({ changes: [{ resource: "members" }] });
  });
});
