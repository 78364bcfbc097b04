import { describe, expect, test } from "vitest";
import { NatSummary } from "./nat.ts";

const summaryOf = (publicAddress: unknown) =>
  NatSummary.parse({ mapping: "none", filtering: "unknown", isUdpOpen: true, publicAddress }).publicAddress;

describe("the public address of a machine", () => {
  test.each(["198.51.100.7", "203.0.113.1", "8.8.8.8", "100.63.255.255", "172.32.0.1"])("is %s", (address) => {
    expect(summaryOf(address)).toBe(address);
  });

  test.each([
    ...["10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "127.0.0.1", "0.0.0.0"],
    ...["224.0.0.1", "239.255.255.250", "255.255.255.255", "240.0.0.1", "2001:db8::1", "::ffff:8.8.8.8"],
    ...["198.51.100.007", "example.org", "", 7, null, {}],
  ])("is unknown when it is said to be %s, and nothing is refused for it", (address) => {
    expect(summaryOf(address)).toBeUndefined();
  });
});
