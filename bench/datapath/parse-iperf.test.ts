import { expect, test } from "vitest";
import { parseIperf } from "./parse-iperf.ts";

const sum = { start: 0, end: 4.0002, seconds: 4.0002 };

test("the rate is what the receiver got, in Mbit/s", () => {
  const end = {
    streams: [],
    sum_sent: { ...sum, bytes: 60_000_000, bits_per_second: 120_000_000, retransmits: 12, sender: true },
    sum_received: { ...sum, bytes: 50_000_000, bits_per_second: 100_000_000, sender: true },
  };
  expect(parseIperf(JSON.stringify({ start: {}, intervals: [], end }))).toEqual({ mbps: 100, retransmits: 12 });
});

test("a failure is told in iperf3's words", () => {
  const text = JSON.stringify({ start: {}, intervals: [], end: {}, error: "unable to connect to server" });
  expect(() => parseIperf(text)).toThrow("iperf3: unable to connect to server");
});

test("a report without a result is an error, not a zero", () => {
  expect(() => parseIperf(JSON.stringify({ start: {}, intervals: [], end: {} }))).toThrow();
});
