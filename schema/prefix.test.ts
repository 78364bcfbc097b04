import { describe, expect, it } from "vitest";
import { isDefaultRoute, isPrefixOverlapping, isWithin, Prefix, RoutePrefix } from "./prefix.ts";

const faultOf = (schema: typeof Prefix | typeof RoutePrefix, text: string) =>
  schema.safeParse(text).error?.issues[0]?.message ?? null;

describe("a prefix", () => {
  it.each(["192.168.7.0/24", "10.0.0.1/32", "0.0.0.0/0", "fd00:7::/64", "2001:db8::1/128", "::/0"])("is %s", (text) => {
    expect(Prefix.parse(text)).toBe(text);
  });

  it.each([
    ["192.168.7.1/24", "192.168.7.0/24"],
    ["192.168.7.1", "192.168.7.1/32"],
    ["fd00:7::1/64", "fd00:7::/64"],
    ["FD00:7:0::/64", "fd00:7::/64"],
    ["fd00::1", "fd00::1/128"],
    ["10.0.0.0/08", "10.0.0.0/8"],
  ])("is not %s: it should be %s", (text, meant) => {
    expect(faultOf(Prefix, text)).toBe(`must be a network without host bits, as ${meant} is`);
  });

  it.each(["", "/", "10.0.0.0/33", "::/129", "10.0.0/8", "a/8", "fe80::%eth0/64", "10.0.0.0/8/8", "10.0.0.0/ 8"])(
    "is not %j",
    (text) => {
      expect(faultOf(Prefix, text)).toBe("must be a network like 192.168.7.0/24 or fd00:7::/64");
    },
  );
});

describe("a prefix of a route", () => {
  it.each(["127.0.0.0/8", "127.0.0.1/32", "169.254.7.0/24", "224.0.0.0/4", "239.1.0.0/16", "240.0.0.0/4", "0.0.0.0/8"])(
    "is not %s",
    (text) => {
      expect(faultOf(RoutePrefix, text)).toMatch(/^must not be/);
    },
  );

  it.each(["::1/128", "::/128", "fe80::/64", "ff02::/16", "::ffff:10.0.0.0/104", "::ffff:a00:0/104"])(
    "is not %s",
    (text) => {
      expect(faultOf(RoutePrefix, text)).not.toBeNull();
    },
  );

  it.each(["lan/24", " 10.9.0.0/16", "10.9.0.0.0/16", "fe80::%eth0/64", "::x/128"])(
    "is not %j, which is told once and as what it is",
    (text) => {
      const issues = RoutePrefix.safeParse(text).error?.issues.map(({ message }) => message);
      expect(issues).toEqual(["must be a network like 192.168.7.0/24 or fd00:7::/64"]);
    },
  );

  it.each(["0.0.0.0/0", "128.0.0.0/1", "8.8.8.0/24", "64:ff9b::/96", "::/0", "fc00::/7"])("may be %s", (text) => {
    expect(faultOf(RoutePrefix, text)).toBeNull();
  });
});

it("knows the default route, whole and in parts", () => {
  const prefixes = ["0.0.0.0/0", "128.0.0.0/1", "10.0.0.0/8", "::/0", "2000::/3", "fc00::/7", "2001:db8::/32"];
  expect(prefixes.filter(isDefaultRoute)).toEqual(["0.0.0.0/0", "128.0.0.0/1", "::/0", "2000::/3"]);
});

it("knows what is within what, and what overlaps", () => {
  expect(isWithin("10.1.2.0/24", "10.1.0.0/16")).toBe(true);
  expect(isWithin("10.1.0.0/16", "10.1.2.0/24")).toBe(false);
  expect(isPrefixOverlapping("10.1.0.0/16", "10.1.2.0/24")).toBe(true);
  expect(isPrefixOverlapping("10.1.0.0/24", "10.1.1.0/24")).toBe(false);
  expect(isPrefixOverlapping("fd00:1::/32", "fd00:1:2::/64")).toBe(true);
  expect(isPrefixOverlapping("::/0", "10.0.0.0/8")).toBe(false);
});
