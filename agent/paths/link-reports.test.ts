import { describe, expect, it } from "vitest";
import { MAX_LINK_REPORTS } from "#schema/limits";
import type { LinkReport } from "#schema/path";
import { createFakeClock } from "../testing/fake-clock.ts";
import { testMachineId } from "../testing/mesh-model.ts";
import { createLinkReporter } from "./link-reports.ts";

const reportOf = (number: number): LinkReport => ({
  peerId: testMachineId(number),
  kind: "up",
  path: "direct",
  endpoint: null,
  reason: { code: "direct", message: "" },
  at: "2026-01-01T00:00:00.000Z",
});
const peersOf = (links: readonly LinkReport[]) => links.map(({ peerId }) => peerId);
const idsOf = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => testMachineId(from + index));

function setUp() {
  const clock = createFakeClock();
  const sent: LinkReport[][] = [];
  const lever = { isConnected: true };
  const reporter = createLinkReporter(clock, (links) => lever.isConnected && sent.push(links) > 0);
  return { clock, sent, lever, reporter };
}

describe("changes of links", () => {
  it("are told together, a moment later, in order", async () => {
    const { clock, sent, reporter } = setUp();
    for (const number of [1, 2, 3]) reporter.add(reportOf(number));
    expect(sent).toEqual([]);
    await clock.advance(500);
    expect(sent.map(peersOf)).toEqual([idsOf(1, 4)]);
    expect(clock.pending()).toBe(0);
  });

  it("wait for a connection, and are then told once", async () => {
    const { clock, sent, lever, reporter } = setUp();
    lever.isConnected = false;
    reporter.add(reportOf(1));
    await clock.advance(10_000);
    lever.isConnected = true;
    await clock.advance(10_000);
    expect(sent.map(peersOf)).toEqual([idsOf(1, 2)]);
    expect(clock.pending()).toBe(0);
  });

  it("go in as many messages as they need", async () => {
    const { clock, sent, reporter } = setUp();
    for (const number of Array(MAX_LINK_REPORTS + 6).keys()) reporter.add(reportOf(number));
    await clock.advance(500);
    expect(sent.map(({ length }) => length)).toEqual([MAX_LINK_REPORTS]);
    await clock.advance(500);
    expect(sent.flatMap(peersOf)).toEqual(idsOf(0, MAX_LINK_REPORTS + 6));
  });

  it("are forgotten, the oldest first, when nobody takes them for long", async () => {
    const { clock, sent, lever, reporter } = setUp();
    lever.isConnected = false;
    for (const number of Array(1_000).keys()) reporter.add(reportOf(number));
    lever.isConnected = true;
    await clock.advance(60_000);
    expect(sent.flatMap(peersOf)).toEqual(idsOf(1_000 - MAX_LINK_REPORTS * 4, 1_000));
  });

  it("are not told after the end", async () => {
    const { clock, sent, reporter } = setUp();
    reporter.add(reportOf(1));
    reporter.stop();
    await clock.advance(10_000);
    expect([sent, clock.pending()]).toEqual([[], 0]);
  });
});
