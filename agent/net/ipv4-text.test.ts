import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { expect, it } from "vitest";
import { isIpv4Network, toIpv4Value } from "./ipv4-text.ts";

it.each([
  ["0.0.0.0", 0],
  ["10.1.0.7", 0x0a010007],
  ["255.255.255.255", 0xffffffff],
  ["256.0.0.1", null],
  ["10.1.0", null],
  ["10.1.0.07", null],
  ["::1", null],
  ["", null],
])("the address %j is %j", (text, value) => {
  expect(toIpv4Value(text)).toBe(value);
});

it.each([
  ["0.0.0.0/0", true],
  ["10.1.0.0/16", true],
  ["10.1.0.7/32", true],
  ["10.1.0.0/33", false],
  ["10.1.0.0/016", false],
  ["10.1.0.0/", false],
  ["10.1.0.0", false],
  ["fd00::/8", false],
])("the network %j: %j", (text, isOne) => {
  expect(isIpv4Network(text)).toBe(isOne);
});

it("agrees with ipaddr.js, whatever the text is", () => {
  const part = fc.oneof(
    fc.integer({ min: 0, max: 300 }).map(String),
    fc.constantFrom("00", "01", "", "x", "-1", "1e1"),
  );
  fc.assert(
    fc.property(fc.array(part, { minLength: 3, maxLength: 5 }), (parts) => {
      const text = parts.join(".");
      const isOne = ipaddr.IPv4.isValidFourPartDecimal(text) && ipaddr.IPv4.parse(text).toString() === text;
      expect(toIpv4Value(text) !== null).toBe(isOne);
    }),
  );
});
