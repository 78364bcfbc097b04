import { describe, expect, test } from "vitest";
import { parsePing } from "./parse-ping.ts";

// As printed by ping of iputils 20221126 (Debian 12), address shortened.
describe("the output of ping", () => {
  test("gives counts and times", () => {
    const output = render([1, 2, 3], 3);
    const counts = { sent: 3, received: 3, lost: 0, gaps: [], gapsAfterMs: [] };
    expect(parsePing(output)).toEqual({ ...counts, timesMs: [0.3, 0.3, 0.3] });
  });

  test("counts a gap as lost", () => {
    expect(parsePing(render([1, 3], 3))).toMatchObject({ sent: 3, received: 2, lost: 1 });
  });

  test("tells how many were lost in a row", () => {
    expect(parsePing(render([2, 3, 6, 8], 9))).toMatchObject({ lost: 5, gaps: [1, 2, 1, 1] });
    expect(parsePing(render([], 3))).toMatchObject({ lost: 3, gaps: [3], gapsAfterMs: [null] });
  });

  test("tells when the last answer before a gap came, where ping printed it", () => {
    const timed = render([1, 2, 4], 4).replace(
      /^64 bytes.*icmp_seq=(\d)/gm,
      (line, n) => `[1700000000.${n}00400] ${line}`,
    );
    expect(parsePing(timed)).toMatchObject({ received: 3, gaps: [1], gapsAfterMs: [1_700_000_000_200] });
  });

  test("counts an answer that came twice once", () => {
    const duplicate = "64 bytes from 192.0.2.10: icmp_seq=1 ttl=62 time=0.400 ms (DUP!)\n";
    expect(parsePing(duplicate + render([1, 2], 2))).toMatchObject({ sent: 2, received: 2, lost: 0 });
  });

  test("does not take an error message for an answer", () => {
    const error = "From 192.0.2.1 icmp_seq=1 Destination Host Unreachable\n";
    expect(parsePing(error + render([2], 2))).toMatchObject({ received: 1, lost: 1 });
  });

  test("leaves out packets that were on their way when ping was stopped", () => {
    expect(parsePing(render([1, 2, 3], 4), { settle: 19 })).toMatchObject({ sent: 3, received: 3, lost: 0 });
  });

  test("counts a long silence at the end as lost, and one without any answer too", () => {
    expect(parsePing(render([1, 2], 22), { settle: 19 })).toMatchObject({ sent: 22, received: 2, lost: 20 });
    expect(parsePing(render([], 5), { settle: 19 })).toMatchObject({ sent: 5, received: 0, lost: 5 });
  });

  test("without a summary is an error that shows it", () => {
    expect(() => parsePing("ping: connect: Network is unreachable")).toThrow(/Network is unreachable/);
  });
});

function render(answered: number[], transmitted: number): string {
  const replies = answered.map((sequence) => `64 bytes from 192.0.2.10: icmp_seq=${sequence} ttl=62 time=0.300 ms\n`);
  return `PING 192.0.2.10 (192.0.2.10) 56(84) bytes of data.\n${replies.join("")}
--- 192.0.2.10 ping statistics ---
${transmitted} packets transmitted, ${answered.length} received, 0% packet loss, time 50ms
rtt min/avg/max/mdev = 0.300/0.300/0.300/0.000 ms
`;
}
