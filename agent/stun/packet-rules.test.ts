import { readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Endpoint } from "#schema/address";
import { isParseError } from "../system/parse-error.ts";
import { isSameRules, type PacketRules, parsePacketRules, renderPacketRules } from "./packet-rules.ts";

/** `nft -j list table inet becket`, one entry a line. */
const LISTED = readFileSync(path.join(import.meta.dirname, "testdata/nft-1.0.6-list.json"), "utf8");

const RULES: PacketRules = {
  ports: [
    { wireguardPort: 51_820, probePort: 40_001 },
    { wireguardPort: 51_821, probePort: 40_002 },
  ],
  lanes: [
    { wireguardPort: 51_820, localPort: 45_000, remote: "198.51.100.7:1234" as Endpoint },
    { wireguardPort: 51_821, localPort: 45_001, remote: "[2001:db8::7]:51820" as Endpoint },
  ],
};

describe("the packet rules", () => {
  it("are one script that replaces their two chains", () => {
    expect(renderPacketRules(RULES)).toBe(`\
table inet becket {
  chain out {
  }
}
delete chain inet becket out
table inet becket {
  chain in {
  }
}
delete chain inet becket in
table inet becket {
  chain out {
    type filter hook output priority -310; policy accept;
    udp sport 40001 udp sport set 51820
    udp sport 40002 udp sport set 51821
    ip daddr 198.51.100.7 udp sport 51820 udp dport 1234 udp sport set 45000
    ip6 daddr 2001:db8::7 udp sport 51821 udp dport 51820 udp sport set 45001
  }
  chain in {
    type filter hook prerouting priority -150; policy accept;
    ip saddr 198.51.100.7 udp sport 1234 udp dport 45000 fib daddr type local udp dport set 51820
    ip6 saddr 2001:db8::7 udp sport 51820 udp dport 45001 fib daddr type local udp dport set 51821
    udp dport 51820 @th,64,16 { 0x0001, 0x0101, 0x0111 } @th,96,32 0x2112a442 fib daddr type local udp dport set 40001
    udp dport 51821 @th,64,16 { 0x0001, 0x0101, 0x0111 } @th,96,32 0x2112a442 fib daddr type local udp dport set 40002
  }
}
`);
  });

  it("are the same whatever their order and the spelling of an address", () => {
    const [first, second] = RULES.lanes;
    if (first === undefined || second === undefined) throw new Error("two lanes");
    const lanes = [{ ...second, remote: "[2001:DB8:0::7]:51820" as Endpoint }, first, first];

    expect(isSameRules(RULES, { ports: [...RULES.ports].reverse(), lanes })).toBe(true);
    expect(isSameRules(RULES, { ...RULES, lanes: [first] })).toBe(false);
  });

  it("are read from what nft 1.0.6 lists", () => {
    expect(parsePacketRules(LISTED)).toEqual({
      ports: [{ wireguardPort: 51_820, probePort: 40_001 }],
      lanes: [{ wireguardPort: 51_820, localPort: 40_100, remote: "198.51.100.7:1234" }],
    });
  });

  it.each([
    ["a rule is missing", (text: string) => text.replace(/, \{"rule": \{[^\n]*\n\]\}/, "]}")],
    ["a port is another one", (text: string) => text.replace('"right": 40100', '"right": 40101')],
    ["a chain sits elsewhere", (text: string) => text.replace('"prio": -150', '"prio": -151')],
    [
      "a rule does more",
      (text: string) => text.replace('{"mangle"', '{"counter": {"packets": 0, "bytes": 0}}, {"mangle"'),
    ],
    ["a rule is none of ours", (text: string) => text.replace('"op": "=="', '"op": "!="')],
  ])("are not ours when %s", (_, change) => {
    expect(change(LISTED)).not.toBe(LISTED);
    expect(parsePacketRules(change(LISTED))).toBeNull();
  });

  it("are not guessed from what is no list", () => {
    for (const text of ["", "table inet becket {}", '{"nftables": 1}']) {
      expect(() => parsePacketRules(text)).toThrow(expect.toSatisfy(isParseError));
    }
    fc.assert(
      fc.property(fc.array(fc.object()), (nftables) => {
        expect(parsePacketRules(JSON.stringify({ nftables }))).toBeNull();
      }),
    );
  });
});
