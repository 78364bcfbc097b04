import { describe, expect, it } from "vitest";
import type { CheckState } from "#schema/announcement-state";
import type { AnnouncementId } from "#schema/desired-state";
import type { ChecksReport } from "#schema/wire/messages";
import { createFakeClock } from "../testing/fake-clock.ts";
import { createCheckReports } from "./check-reports.ts";

const idOf = (number: number) => `vip_${String(number).padStart(26, "0")}` as AnnouncementId;
const check = (status: CheckState["status"], text: string | null = null, number = 1): CheckState => ({
  ...{ id: idOf(number), status, since: "2026-11-26T10:00:00.000Z", text },
});

function setUp() {
  const clock = createFakeClock();
  const sent: ChecksReport[] = [];
  const connection = { isUp: true };
  const reports = createCheckReports({ clock, isConnected: () => connection.isUp, send: (one) => sent.push(one) });
  const said = () => sent.map(({ checks, isAll }) => [isAll, ...checks.map(({ status, text }) => text ?? status)]);
  return { clock, sent, connection, reports, said };
}

describe("what checks say is told", () => {
  it("when it turns, and not while it stays", async () => {
    const { clock, reports, said } = setUp();
    reports.set([check("pending")]);
    for (let second = 0; second < 600; second++) {
      reports.set([check("healthy")]);
      await clock.advance(1_000);
    }
    expect(said()).toEqual([
      [true, "pending"],
      [false, "healthy"],
    ]);
  });

  it("at most once a second, the last of it always", async () => {
    const { clock, reports, said } = setUp();
    for (const status of ["pending", "healthy", "unhealthy", "healthy", "unhealthy"] as const) {
      reports.set([check(status)]);
      await clock.advance(100);
    }
    await clock.advance(1_000);
    expect(said()).toEqual([
      [true, "pending"],
      [false, "unhealthy"],
    ]);
  });

  it("once a minute where only what it finds is another, and never for a number in it", async () => {
    const { clock, reports, said } = setUp();
    reports.set([check("unhealthy", "refused after 3 ms")]);
    await clock.advance(30_000);
    reports.set([check("unhealthy", "refused after 17 ms")]);
    await clock.advance(10_000);
    reports.set([check("unhealthy", "timed out")]);
    await clock.advance(19_000);
    expect(said()).toEqual([[true, "refused after 3 ms"]]);
    await clock.advance(1_000);
    expect(said().slice(1)).toEqual([[false, "timed out"]]);
  });

  it("whole on a new connection, as soon as there is one", async () => {
    const { connection, reports, said } = setUp();
    connection.isUp = false;
    reports.set([check("healthy"), check("unhealthy", "refused", 2)]);
    expect(said()).toEqual([]);
    connection.isUp = true;
    reports.tell();
    reports.tell();
    expect(said()).toEqual([[true, "healthy", "refused"]]);
    reports.forgetTold();
    reports.tell();
    expect(said()).toHaveLength(1);
  });

  it("in parts that fit a message, of which the first replaces what was", () => {
    const { sent, reports } = setUp();
    const many = Array.from({ length: 150 }, (_, number) => check("unhealthy", "\u4e00".repeat(1_000), number));
    reports.set(many);
    expect(sent.map(({ checks, isAll }) => [checks.length, isAll])).toEqual([
      [64, true],
      [64, false],
      [22, false],
    ]);
    for (const part of sent) expect(Buffer.byteLength(JSON.stringify(part))).toBeLessThan(64 * 1024);
  });

  it("anew of one that was taken away and came back", async () => {
    const { clock, reports, said } = setUp();
    reports.set([check("healthy")]);
    await clock.advance(1_000);
    reports.set([]);
    reports.set([check("healthy")]);
    expect(said()).toEqual([
      [true, "healthy"],
      [false, "healthy"],
    ]);
  });

  it("that there are none, once, where the other end may have kept some", () => {
    const { reports, said } = setUp();
    const connect = () => {
      reports.forgetTold();
      reports.tell();
    };
    // Nobody knows yet what there is to check.
    connect();
    expect(said()).toEqual([]);
    // The agent before this one may have told some.
    reports.set([]);
    connect();
    reports.set([]);
    expect(said()).toEqual([[true]]);
    reports.set([check("healthy")]);
    reports.set([]);
    connect();
    connect();
    expect(said().slice(1)).toEqual([[false, "healthy"], [true]]);
  });
});
