import { describe, expect, it } from "vitest";
import { MAX_MACHINE_MESSAGE_BYTES } from "#schema/limits";
import type { PeerExplanation } from "#schema/path";
import { createFakeClock } from "../testing/fake-clock.ts";
import { testMachineId, testMeshId } from "../testing/mesh-model.ts";
import { createWatch, toTelemetryReports } from "./telemetry.ts";

const explanationOf = (number: number): PeerExplanation => ({
  ...{ meshId: testMeshId(0), machineId: testMachineId(number), name: "n".repeat(63), status: "down", path: "none" },
  ...{ gatewayId: null, endpoint: null, handshakeAgeSeconds: null, latencyMs: null, lossRatio: null },
  ...{ rxBytesPerSecond: 0, txBytesPerSecond: 0, localNat: null, peerNat: null, nextTryAt: null, since: null },
  reason: { code: "no_answer", message: "m".repeat(250) },
  candidates: Array.from({ length: 16 }, (_, index) => ({
    ...{
      endpoint: `[2001:db8:1111:2222:3333:4444:5555:${1_000 + index}]:51820` as never,
      type: "peer_observed" as const,
    },
    ...{ outcome: "no_answer" as const, roundTripMs: null, lastTriedAt: "2026-01-01T00:00:00.000Z" },
  })),
});
const reportOf = (count: number) => ({
  ...{ peers: Array.from({ length: count }, (_, index) => explanationOf(index)), endpoints: [], nat: null },
  isSteady: false,
});

describe("a report of paths", () => {
  it("is one message also when there is nobody to tell of", () => {
    expect(toTelemetryReports(reportOf(0))).toEqual([{ type: "telemetry.report", ...reportOf(0) }]);
  });

  it("is in as many messages as fit, in order, and says which is the last", () => {
    const parts = toTelemetryReports(reportOf(100));
    expect(parts.flatMap(({ peers }) => peers)).toEqual(reportOf(100).peers);
    expect(parts.map(({ hasMore }) => hasMore ?? false)).toEqual(parts.map((part) => part !== parts.at(-1)));
    for (const part of parts) expect(JSON.stringify(part).length).toBeLessThan(MAX_MACHINE_MESSAGE_BYTES);
  });
});

describe("a watch", () => {
  function setUp() {
    const clock = createFakeClock();
    const reports: boolean[] = [];
    const watch = createWatch({ clock, measure: () => undefined, report: (isSteady) => reports.push(isSteady) });
    return { clock, reports, watch };
  }

  it("tells at once and then each second, and from the third time on what is steady", async () => {
    const { clock, reports, watch } = setUp();
    watch.extend(4);
    expect(reports).toEqual([false]);
    await clock.advance(60_000);
    expect([reports, clock.pending(), watch.isWatched()]).toEqual([[false, false, true, true], 0, false]);
  });

  it("goes on when it is extended, without telling twice as often", async () => {
    const { clock, reports, watch } = setUp();
    watch.extend(5);
    await clock.advance(2_500);
    watch.extend(5);
    await clock.advance(60_000);
    expect(reports).toHaveLength(8);
  });

  it("begins anew, not steady, for who looks later", async () => {
    const { clock, reports, watch } = setUp();
    watch.extend(5);
    await clock.advance(60_000);
    reports.length = 0;
    watch.extend(1);
    expect(reports).toEqual([false]);
  });

  it("ends", async () => {
    const { clock, reports, watch } = setUp();
    watch.extend(5);
    watch.stop();
    await clock.advance(60_000);
    expect([reports.length, clock.pending()]).toEqual([1, 0]);
  });
});
