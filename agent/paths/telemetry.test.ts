import { describe, expect, it } from "vitest";
import type { AnnouncementState } from "#schema/announcement-state";
import { RouteId } from "#schema/ids";
import { MAX_MACHINE_MESSAGE_BYTES } from "#schema/limits";
import type { NatReport } from "#schema/nat";
import type { PeerExplanation } from "#schema/path";
import type { TelemetryReport } from "#schema/wire/messages";
import { createFakeClock } from "../testing/fake-clock.ts";
import { testMachineId, testMeshId } from "../testing/mesh-model.ts";
import { createWatch, toTelemetryReports } from "./telemetry.ts";

const explanationOf = (number: number): PeerExplanation => ({
  ...{ meshId: testMeshId(0), machineId: testMachineId(number), name: "n".repeat(63), status: "down", path: "none" },
  ...{ gatewayId: null, endpoint: null, handshakeAgeSeconds: null, latencyMs: null, lossRatio: null },
  ...{ rxBytesPerSecond: 0, txBytesPerSecond: 0, inDoubt: false },
  ...{ localNat: null, peerNat: null, nextTryAt: null, since: null },
  reason: { code: "no_answer", message: "m".repeat(250) },
  bgp: { state: "active", since: "2026-01-01T00:00:00.000Z", lastError: "e".repeat(80) },
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
  announcements: [],
  isSteady: false,
});

const NAT: NatReport = {
  ...{ at: "2026-01-01T00:00:00.000Z", udp: { ipv4: true, ipv6: false }, mapping: "none", filtering: "unknown" },
  ...{ preservesPort: null, hairpinning: null, mappingLifetimeSeconds: null, publicAddresses: [] },
  ...{ portMapping: { protocols: [], endpoints: [], problem: null }, stun: [], checksProblem: null },
};
const ANNOUNCEMENT: AnnouncementState = {
  ...{ id: RouteId.parse("rt_01kaqx4d8e6v2m9t7w3hncz5rb"), isAnnounced: false, status: "unhealthy" },
  ...{ since: "2026-01-01T00:00:00.000Z", reason: "r".repeat(200) },
  results: Array.from({ length: 5 }, () => ({
    ...{ at: "2026-01-01T00:00:00.000Z", durationMs: 3_000, isSuccess: false, text: "t".repeat(200) },
  })),
};
const expectToFit = (parts: readonly TelemetryReport[]) => {
  // With room for what is sent together with it.
  for (const part of parts)
    expect(Buffer.byteLength(JSON.stringify(part))).toBeLessThan(MAX_MACHINE_MESSAGE_BYTES * 0.8);
};

describe("a report of paths", () => {
  it("is one message also when there is nobody to tell of", () => {
    expect(toTelemetryReports(reportOf(0))).toEqual([{ type: "telemetry.report", ...reportOf(0) }]);
  });

  it("is in as many messages as fit, in order, and says which is the last", () => {
    const parts = toTelemetryReports(reportOf(100));
    expect(parts.flatMap(({ peers }) => peers)).toEqual(reportOf(100).peers);
    expect(parts.map(({ hasMore }) => hasMore ?? false)).toEqual(parts.map((part) => part !== parts.at(-1)));
    expectToFit(parts);
  });

  it("fits also when peers have every candidate that is kept, names are not ASCII, and there are many endpoints", () => {
    const [candidate] = explanationOf(0).candidates;
    const full = (number: number): PeerExplanation => ({
      ...explanationOf(number),
      reason: { code: "no_answer", message: "\u{1f9f6}".repeat(125) },
      candidates: Array(32).fill({ ...candidate, roundTripMs: 12_345.6 }),
    });
    const observedBy = `${"s".repeat(249)}:3478`;
    const seen = { firstSeen: "2026-01-01T00:00:00.000Z", lastSeen: "2026-01-01T00:00:00.000Z" };
    const endpoint = {
      meshId: testMeshId(0),
      address: candidate?.endpoint as never,
      type: "stun",
      ...seen,
      observedBy,
    };
    const report: Parameters<typeof toTelemetryReports>[0] = {
      ...{ peers: Array.from({ length: 60 }, (_, index) => full(index)), isSteady: true },
      ...{ endpoints: Array(400).fill(endpoint), nat: NAT, announcements: Array(300).fill(ANNOUNCEMENT) },
    };
    const parts = toTelemetryReports(report);
    expectToFit(parts);
    expect(parts.flatMap(({ peers }) => peers)).toEqual(report.peers);
    expect(parts.flatMap(({ endpoints }) => endpoints)).toEqual(report.endpoints);
    expect(parts.flatMap(({ nat }) => nat ?? [])).toEqual([NAT]);
    expect(parts.flatMap(({ announcements }) => announcements)).toEqual(report.announcements);
    expect(parts.every(({ isSteady }) => isSteady)).toBe(true);
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
    expect([reports, clock.pending()]).toEqual([[false, false, true, true], 0]);
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
