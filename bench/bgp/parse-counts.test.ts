import { expect, test } from "vitest";
import { parseReply } from "../../agent/bird/parse-reply.ts";
import { countIpv4Routes, countIpv6Routes, parseEstablished } from "./parse-counts.ts";

test("counts the IPv4 routes of one metric", () => {
  const text = [
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT",
    "bkt-bench\t00004D0A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0",
    "bkt-bench\t000310AC\t03004D0A\t0003\t0\t0\t61820\t00FFFFFF\t0\t0\t0",
    "",
  ].join("\n");
  expect(countIpv4Routes(text, 61_820)).toBe(1);
});

test("counts the IPv6 routes of one metric, which is in hexadecimal digits", () => {
  const zero = "0".repeat(32);
  const text = [
    `fd770000000000000000000000000000 40 ${zero} 00 ${zero} 00000100 00000001 00000000 00000001 bkt-bench`,
    `fd500001000000000000000000000000 20 ${zero} 00 fd770000000000000000000000000001 0000f17c 00000001 00000000 00000003 bkt-bench`,
    "",
  ].join("\n");
  expect(countIpv6Routes(text, 61_820)).toBe(1);
});

test("a session is up when BIRD says Established, and tells since when", () => {
  const reply = parseReply(
    [
      "0001 BIRD 2.0.12 ready.",
      "2002-Name       Proto      Table      State  Since         Info",
      "1002-device1    Device     ---        up     1764122400.125  ",
      " mch_1      BGP        ---        up     1764122402.250  Established   ",
      " mch_2      BGP        ---        start  1764122402.500  Connect       Socket: Connection refused",
      " mch_3      BGP        ---        up     1764122403.000  Established   ",
      "0000 ",
      "",
    ].join("\n"),
  );
  expect(parseEstablished(reply)).toEqual([1_764_122_402.25, 1_764_122_403]);
});
