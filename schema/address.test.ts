import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { describe, expect, it } from "vitest";
import {
  Endpoint,
  Ipv4,
  Ipv4Cidr,
  Ipv6,
  Ipv6Cidr,
  isInside,
  isOverlapping,
  isPrivateAddress,
  parseEndpoint,
  parseIpv4Cidr,
  renderEndpoint,
  renderIpv4,
  toIpv4Number,
  toMeshIpv6,
} from "./address.ts";

describe("IPv4", () => {
  it.each(["10.0.0.1", "0.0.0.0", "255.255.255.255"])("takes %s", (text) => {
    expect(Ipv4.safeParse(text).success).toBe(true);
  });

  it.each([
    "10.0.0",
    "10.0.0.256",
    "010.0.0.1",
    "10.0.0.1 ",
    "10.0.0.1.",
    "10.0.0.1.2",
    "10..0.1",
    "0x7f.1",
    "1",
    "",
    "::1",
  ])("refuses %j", (text) => {
    expect(Ipv4.safeParse(text).success).toBe(false);
  });

  it("goes through numbers and back", () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 32 - 1 }), (value) => {
        expect(toIpv4Number(renderIpv4(value))).toBe(value);
      }),
    );
  });
});

describe("IPv6", () => {
  it("is the same text whether it had to be read or only looked at", () => {
    const group = fc.oneof(fc.constant(0), fc.nat({ max: 0xffff }));
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        const canonical = new ipaddr.IPv6(groups).toRFC5952String();
        expect(Ipv6.parse(canonical)).toBe(canonical);
        expect(Ipv6.parse(groups.map((value) => value.toString(16)).join(":"))).toBe(canonical);
      }),
    );
  });

  it("refuses or rewrites whatever is not canonical", () => {
    const spelling = fc.stringMatching(/^[0-9a-f:]{0,24}$/);
    fc.assert(
      fc.property(spelling, (text) => {
        const address = Ipv6.safeParse(text);
        expect(address.success).toBe(ipaddr.IPv6.isValid(text));
        if (address.success) expect(address.data).toBe(ipaddr.IPv6.parse(text).toRFC5952String());
      }),
      { numRuns: 2_000 },
    );
  });

  it("keeps the canonical text of RFC 5952 whatever the spelling", () => {
    expect(Ipv6.parse("2001:DB8:0:0:0:0:0:1")).toBe("2001:db8::1");
  });

  it("refuses zone identifiers", () => {
    expect(Ipv6.safeParse("fe80::1%eth0").success).toBe(false);
  });
});

describe("networks", () => {
  it("refuses host bits and odd spellings", () => {
    for (const text of ["10.1.0.1/16", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0", "10.0.0.0/", "10.0.0.0/-1"]) {
      expect(Ipv4Cidr.safeParse(text).success, text).toBe(false);
    }
    for (const text of ["fd00::1/64", "fd00::/129", "fd00::", "fd00:0::/64", "10.0.0.0/8"]) {
      expect(Ipv6Cidr.safeParse(text).success, text).toBe(false);
    }
  });

  it("knows first and last address", () => {
    expect(parseIpv4Cidr("192.168.4.0/22")).toEqual({
      first: toIpv4Number("192.168.4.0"),
      last: toIpv4Number("192.168.7.255"),
      prefixLength: 22,
    });
    expect(parseIpv4Cidr("0.0.0.0/0")?.last).toBe(2 ** 32 - 1);
  });

  it("calls two networks overlapping exactly when one contains the other", () => {
    expect(isOverlapping("10.0.0.0/8", "10.200.0.0/16")).toBe(true);
    expect(isOverlapping("10.200.0.0/16", "10.0.0.0/8")).toBe(true);
    expect(isOverlapping("10.0.0.0/9", "10.128.0.0/9")).toBe(false);
  });

  it("never takes an address of the other family for inside", () => {
    expect(isInside("10.0.0.1", "10.0.0.0/8")).toBe(true);
    expect(isInside("fd00::1", "10.0.0.0/8")).toBe(false);
    expect(isInside("fd00::1", "fd00::/64")).toBe(true);
  });
});

describe("endpoints", () => {
  it.each([
    ["192.0.2.1:51820", { address: "192.0.2.1", port: 51820 }],
    ["[2001:db8::1]:1", { address: "2001:db8::1", port: 1 }],
  ])("parses %s and renders it again", (text, parts) => {
    expect(parseEndpoint(text)).toEqual(parts);
    expect(renderEndpoint(parts)).toBe(text);
  });

  it.each([
    ["[2001:DB8::7]:1", "[2001:db8::7]:1"],
    ["[2001:db8:0:0:0:0:0:7]:1", "[2001:db8::7]:1"],
    ["[::ffff:192.0.2.1]:1", "[::ffff:c000:201]:1"],
    ["192.0.2.1:1", "192.0.2.1:1"],
  ])("takes %s as %s, so that equal text is the same endpoint", (text, canonical) => {
    expect(Endpoint.parse(text)).toBe(canonical);
    expect(Endpoint.parse(canonical)).toBe(canonical);
    expect(renderEndpoint(parseEndpoint(text) ?? { address: "", port: 0 })).toBe(canonical);
  });

  it("refuses an address that would be read as another one", () => {
    expect(Endpoint.safeParse("[::192.0.2.1]:1").success).toBe(false);
    expect(Endpoint.safeParse("[64:ff9b::192.0.2.1]:1").success).toBe(false);
  });

  it.each([
    "192.0.2.1",
    "192.0.2.1:0",
    "192.0.2.1:65536",
    "192.0.2.1:080",
    "2001:db8::1:80",
    "[192.0.2.1]:80",
    "host:80",
    "[fe80::1%eth0]:1",
  ])("refuses %s", (text) => {
    expect(Endpoint.safeParse(text).success).toBe(false);
  });

  it("never throws, whatever it is given", () => {
    fc.assert(fc.property(fc.string(), (text) => void Endpoint.safeParse(text)));
  });
});

describe("mesh IPv6", () => {
  it("is the mesh's /64 plus the host number", () => {
    expect(toMeshIpv6("fd12:3456:789a:1::/64", 7)).toBe("fd12:3456:789a:1::7");
    expect(toMeshIpv6("fd12:3456:789a:1::/64", 16_777_214)).toBe("fd12:3456:789a:1::ff:fffe");
  });
});

describe("private addresses", () => {
  it.each([
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "127.0.0.1",
    "169.254.1.1",
    "fd00::1",
    "fe80::1",
    "::1",
  ])("%s is one", (address) => {
    expect(isPrivateAddress(address)).toBe(true);
  });

  it.each(["192.0.2.1", "8.8.8.8", "2001:db8::1", "2600::1"])("%s is not", (address) => {
    expect(isPrivateAddress(address)).toBe(false);
  });
});
