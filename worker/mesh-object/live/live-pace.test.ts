// How much a watcher gets, by a clock that the test holds.
import { describe, expect, it } from "vitest";
import { MAX_UNSEEN_FRAMES, WATCH_LEASE_MS } from "#schema/live/pace";
import { createLogger } from "../../log.ts";
import { createMachineId, createMeshId } from "../../testing/fake-agent.ts";
import { createExplanation } from "../../testing/test-telemetry.ts";
import type { KeptReport } from "../links/telemetry.ts";
import type { MeshRecord } from "../storage.ts";
import { createBacklog } from "./backlog.ts";
import { createLive } from "./live.ts";
import type { Watcher, Watchers } from "./watchers.ts";

const machineId = createMachineId();
const WEB_SOCKET = {} as WebSocket;

function createScene(peerCount = 1) {
  const at = { nowMs: 1_000_000 };
  const frames: string[] = [];
  let machines: Watcher["machines"] = [];
  let renewedAt = 0;
  const backlog = createBacklog();
  const watcher: Watcher = {
    ...{ actor: "user:a", openedAt: at.nowMs },
    get machines() {
      return machines;
    },
    get renewedAt() {
      return renewedAt;
    },
    get isBehind() {
      return backlog.isFull();
    },
    watch(wanted, seenByNow, nowMs) {
      [machines, renewedAt] = [wanted, nowMs];
      backlog.seen(seenByNow);
    },
    send: () => undefined,
    sendTelemetry(text) {
      frames.push(text);
      backlog.sent(text);
    },
  };
  const watchers = { of: () => watcher, list: () => [watcher], count: () => 1 } as unknown as Watchers;
  const meshId = createMeshId();
  const live = createLive({
    watchers,
    storage: { readMember: () => ({}) as never },
    readOpenMesh: () => ({}) as MeshRecord,
    toTelemetry: (_, __, report) => ({ ...report, peers: [...report.peers], endpoints: [], announcements: [] }),
    follow: () => undefined,
    now: () => at.nowMs,
    log: createLogger("error"),
  });
  const peers = Array.from({ length: peerCount }, () => createExplanation(meshId, createMachineId()));
  const report = { peers, endpoints: [], nat: null, announcements: [], isSteady: true, receivedAt: 0 } as KeptReport;
  return {
    frames,
    live,
    watch: (seenByNow: number) =>
      live.receiveFrame(WEB_SOCKET, JSON.stringify({ type: "live.watch", machines: [{ machineId }], seen: seenByNow })),
    /** One report a second, as agents tell. */
    pass(seconds: number) {
      for (let second = 0; second < seconds; second++) {
        at.nowMs += 1_000;
        if (live.isWatched(machineId)) live.passOn(machineId, report);
      }
    },
  };
}

describe("telemetry", () => {
  it("ends with the lease that nobody renewed", () => {
    const { frames, live, watch, pass } = createScene();
    watch(0);
    pass(WATCH_LEASE_MS / 1_000 + 10);
    expect(frames).toHaveLength(WATCH_LEASE_MS / 1_000);
    expect(live.isWatched(machineId)).toBe(false);
    watch(frames.length);
    pass(1);
    expect(frames).toHaveLength(WATCH_LEASE_MS / 1_000 + 1);
  });

  it("waits for who does not see what came", () => {
    const { frames, watch, pass } = createScene();
    for (let count = 0; count < 10; count++) {
      watch(0);
      pass(10);
    }
    expect(frames).toHaveLength(MAX_UNSEEN_FRAMES);
    watch(MAX_UNSEEN_FRAMES);
    pass(3);
    expect(frames).toHaveLength(MAX_UNSEEN_FRAMES + 3);
  });

  it("comes more slowly where there is much of it", () => {
    const { frames, watch, pass } = createScene(1_500);
    watch(0);
    pass(12);
    expect(frames).toHaveLength(4);
  });
});
