import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SAY_SEEN_AFTER_CHARACTERS, SAY_SEEN_AFTER_FRAMES } from "#schema/live/pace";
import { startTimer } from "../../browser/start-timer.ts";
import { createFakeSockets, createFrame, MACHINE } from "../../testing/fake-socket.ts";
import { createMeshSocket } from "./create-mesh-socket.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function createScene() {
  const { sockets, openSocket, listOpen } = createFakeSockets();
  const states: string[] = [];
  const heard: unknown[] = [];
  const socket = createMeshSocket({
    ...{ path: "/live", openSocket, startTimer, random: () => 1 },
    onState: (state) => void states.push(state),
    onChanged: (changes) => void heard.push(...changes),
    onTelemetry: (frame) => void heard.push(frame),
  });
  const newest = () => {
    const last = sockets.at(-1);
    if (last === undefined) throw new Error("no socket was opened");
    return last;
  };
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
  return { socket, sockets, listOpen, states, heard, newest, pass };
}
const machines = [{ machineId: MACHINE, explain: [] }] as never;

describe("a mesh's socket", () => {
  it("is open when it was welcomed, and passes on what it hears", () => {
    const { socket, newest, states, heard } = createScene();
    expect(socket.state()).toBe("connecting");
    newest().welcome();
    newest().change(["members"]);
    newest().tell("pong");
    newest().tell('{"type":"live.news"}');
    expect([states, heard]).toEqual([["open"], [{ resource: "members", machineIds: null }]]);
  });

  it("comes back soon when it is lost, and later each time that nobody welcomes it", async () => {
    const { newest, sockets, states, pass } = createScene();
    newest().welcome();
    newest().close(1006);
    await pass(1_000);
    expect(sockets).toHaveLength(2);
    newest().close(1006);
    await pass(1_999);
    expect(sockets).toHaveLength(2);
    await pass(1);
    expect(sockets).toHaveLength(3);
    newest().welcome();
    expect(states).toEqual(["open", "connecting", "failing", "open"]);
  });

  it("gives up one that leads nowhere", async () => {
    const { newest, sockets, listOpen, pass, states } = createScene();
    await pass(11_000);
    expect([sockets.length, listOpen().length, states]).toEqual([2, 1, ["failing"]]);
    newest().welcome();
    // It answers one ping, and no other.
    await pass(30_000);
    newest().tell("pong");
    await pass(30_000);
    expect(newest().pings).toBe(2);
    await pass(31_000);
    expect([sockets.length, listOpen().length, states]).toEqual([3, 1, ["failing", "open", "connecting"]]);
  });

  it("comes back at once when it is told to, and never to a mesh that is gone", async () => {
    const { newest, sockets, states, pass } = createScene();
    newest().welcome();
    newest().close(4401);
    await pass(500);
    expect(sockets).toHaveLength(2);
    newest().welcome();
    newest().close(4410);
    await pass(600_000);
    expect([sockets.length, states]).toEqual([2, ["open", "connecting", "open", "gone"]]);
  });

  it("says what is watched when it is open, again every ten seconds with what it saw, and anew on a new connection", async () => {
    const { socket, newest, pass } = createScene();
    socket.watch(machines);
    expect(newest().watches).toEqual([]);
    newest().welcome();
    newest().tell(createFrame([], { mark: "m1" }));
    newest().tell(createFrame([], { mark: "m2" }));
    await pass(10_000);
    expect(newest().watches).toEqual([
      { type: "live.watch", machines, seenMark: null },
      { type: "live.watch", machines, seenMark: "m2" },
    ]);
    newest().close(1006);
    await pass(1_000);
    newest().welcome();
    expect(newest().watches).toEqual([{ type: "live.watch", machines, seenMark: null }]);
    socket.watch([]);
    await pass(20_000);
    expect(newest().watches).toHaveLength(2);
  });

  it("says what it saw when much came, of hints as well", () => {
    const { newest } = createScene();
    newest().welcome();
    const hint = (mark: string, resource = "members") =>
      newest().tell({ type: "live.changed", revision: 2, changes: [{ resource, machineIds: null }], mark });
    for (let count = 1; count < SAY_SEEN_AFTER_FRAMES; count++) hint(`m${count}`);
    expect(newest().watches).toEqual([]);
    hint("last");
    expect(newest().watches).toEqual([{ type: "live.watch", machines: [], seenMark: "last" }]);
    hint("short");
    hint("long", "x".repeat(SAY_SEEN_AFTER_CHARACTERS));
    expect(newest().watches.slice(1)).toEqual([{ type: "live.watch", machines: [], seenMark: "long" }]);
  });

  it("stops for good", async () => {
    const { socket, sockets, listOpen, newest, pass } = createScene();
    newest().welcome();
    socket.stop();
    await pass(600_000);
    expect([sockets.length, listOpen().length]).toEqual([1, 0]);
  });
});
