import { describe, expect, it } from "vitest";
import { MAX_RIB_ROUTES, type RibRoute } from "#schema/bgp";
import type { DesiredMesh } from "#schema/desired-state";
import { MAX_MACHINE_MESSAGE_BYTES } from "#schema/limits";
import { Prefix } from "#schema/prefix";
import { RibReport } from "#schema/wire/messages";
import { testMachineId } from "../../testing/mesh-model.ts";
import { createRibReporter, toRibReports } from "./rib-reports.ts";
import type { Rib } from "./to-rib.ts";

const route: RibRoute = {
  ...{ prefix: Prefix.parse("192.168.7.0/24"), nextHop: "10.77.0.3" },
  origin: { machineId: testMachineId(3), name: "n".repeat(63) },
  source: { kind: "peer", protocol: testMachineId(3), machineId: testMachineId(3), name: "n".repeat(63), meshId: null },
  ...{ asPath: ["4200000001", "4200000002"], localPreference: 100, med: 0, communities: ["65000:1"], isBest: false },
  filterReason: { code: "not_authorised", message: "no route or VIP of this mesh lets it announce that" },
  since: "2026-01-01T00:00:00.000Z",
};

describe("an answer", () => {
  it("is in as many messages as fit, in order, and says which is the last", () => {
    const routes = Array<RibRoute>(MAX_RIB_ROUTES).fill(route);
    const reports = toRibReports("r1", { routes, isTruncated: true, problem: null });
    expect(reports.length).toBeGreaterThan(10);
    for (const report of reports) {
      expect(Buffer.byteLength(JSON.stringify(report))).toBeLessThan(MAX_MACHINE_MESSAGE_BYTES * 0.8);
      expect(RibReport.parse(report)).toEqual(report);
    }
    expect(reports.flatMap((report) => report.routes)).toEqual(routes);
    expect(reports.map(({ hasMore }) => hasMore ?? false)).toEqual(reports.map((report) => report !== reports.at(-1)));
  });
});

describe("a request", () => {
  const desired = {} as DesiredMesh;
  const request = (requestId: string) => ({ type: "rib.request", requestId, prefix: null }) as const;

  function createParty(readRib: () => Promise<Rib | null>) {
    const sent: RibReport[] = [];
    return {
      sent,
      reporter: createRibReporter({ view: { readRib }, desired: () => desired, send: (r) => sent.push(r) }),
    };
  }

  it.each([
    ["no BIRD runs", async () => null, /no BIRD runs for this mesh/],
    ["BIRD is silent", () => Promise.reject(new Error("took longer than 5000 ms")), /does not answer: took longer/],
  ])("is answered with what is the matter when %s", async (_, readRib, problem) => {
    const { sent, reporter } = createParty(readRib);
    await reporter.receive(request("r1"));
    expect(sent).toMatchObject([{ requestId: "r1", routes: [], problem: expect.stringMatching(problem) }]);
  });

  it("waits for its turn, and a flood is not answered", async () => {
    let reading = 0;
    const { sent, reporter } = createParty(async () => {
      expect(++reading).toBe(1);
      await Promise.resolve();
      reading--;
      return { routes: [route], isTruncated: false };
    });
    await Promise.all(Array.from({ length: 50 }, (_, index) => reporter.receive(request(`r${index}`))));
    expect(sent.map(({ requestId }) => requestId)).toEqual(Array.from({ length: 8 }, (_, index) => `r${index}`));
  });
});
