import { describe, expect, it } from "vitest";
import { isParseError } from "../../system/parse-error.ts";
import { type Forwarding, parseGuards, renderGuard } from "./forward-rules.ts";

const only = (...to: string[]): Forwarding => ({ to, networks: [] });

/** What is left when the old chains are gone. */
const linesOf = (script: string): string[] => {
  const made = script.slice(script.lastIndexOf("table inet becket {"));
  return made.split("\n").flatMap((line) => (/^ {2,}[^ }]/.test(line) ? [line.trim()] : []));
};

describe("the rules of a guarded interface", () => {
  it("drop what would leave by another interface than itself", () => {
    expect(linesOf(renderGuard("bkt-prod", only("bkt-prod")))).toEqual([
      "chain forward-bkt-prod {",
      "type filter hook forward priority 0; policy accept;",
      'iifname "bkt-prod" oifname != "bkt-prod" drop',
    ]);
  });

  it.each([
    ["several places", ["bkt-prod", "eth1"], 'iifname "bkt-prod" oifname != { "bkt-prod", "eth1" } drop'],
    ["nowhere", [], 'iifname "bkt-prod" drop'],
  ])("allow %s", (_, to, rule) => {
    expect(renderGuard("bkt-prod", only(...to))).toContain(`    ${rule}\n`);
  });

  it("let what goes to announced networks leave by any interface that is no mesh's, in packets that fit, and with another address where needed", () => {
    const networks = [
      { prefix: "10.0.0.0/8", isMasquerading: true },
      { prefix: "10.5.0.1/32", isMasquerading: false },
      { prefix: "fd00:7::/64", isMasquerading: true },
    ] as unknown as Forwarding["networks"];

    expect(linesOf(renderGuard("bkt-a", { to: ["bkt-a"], networks }))).toEqual([
      "chain forward-bkt-a {",
      "type filter hook forward priority 0; policy accept;",
      'iifname "bkt-a" oifname != "bkt-*" ip6 daddr fd00:7::/64 accept',
      'iifname "bkt-a" oifname != "bkt-*" ip daddr 10.5.0.1 accept',
      'iifname "bkt-a" oifname != "bkt-*" ip daddr 10.0.0.0/8 accept',
      'iifname "bkt-a" oifname != "bkt-a" drop',
      "chain mss-bkt-a {",
      "type filter hook forward priority -150; policy accept;",
      'iifname "bkt-a" tcp flags syn tcp option maxseg size set rt mtu',
      'oifname "bkt-a" tcp flags syn tcp option maxseg size set rt mtu',
      "chain nat-bkt-a {",
      "type nat hook postrouting priority 100; policy accept;",
      'iifname "bkt-a" oifname != "bkt-*" ip6 daddr fd00:7::/64 masquerade',
      'iifname "bkt-a" oifname != "bkt-*" ip daddr 10.5.0.1 accept',
      'iifname "bkt-a" oifname != "bkt-*" ip daddr 10.0.0.0/8 masquerade',
    ]);
  });

  const listed = (hook: string, ...rules: object[][]) => {
    const chain = { family: "inet", table: "becket", name: "forward-bkt-a", type: "filter", hook, prio: 0 };
    const made = rules.map((expr) => ({ rule: { family: "inet", table: "becket", chain: "forward-bkt-a", expr } }));
    return JSON.stringify({ nftables: [{ metainfo: {} }, { chain }, ...made] });
  };
  const came = { match: { op: "==", left: { meta: { key: "iifname" } }, right: "bkt-a" } };
  const leaves = (right: unknown, op = "!=") => ({ match: { op, left: { meta: { key: "oifname" } }, right } });
  const drop = { drop: null };

  it("are read as nft 1.0.6 lists them", () => {
    const guards = (...rule: object[]) => parseGuards(listed("forward", rule)).get("bkt-a");
    expect(guards(came, leaves("bkt-a"), drop)).toEqual(only("bkt-a"));
    expect(guards(came, leaves({ set: ["eth9", "bkt-a"] }), drop)).toEqual(only("bkt-a", "eth9"));
    expect(guards(came, drop)).toEqual(only());
  });

  it.each([
    ["another hook", listed("input", [came, drop])],
    ["no rule", listed("forward")],
    ["one rule too many", listed("forward", [{ accept: null }], [came, drop])],
    ["the opposite", listed("forward", [came, leaves("bkt-a", "=="), drop])],
    ["no verdict", listed("forward", [came, leaves("bkt-a")])],
    ["another interface", listed("forward", [came, drop]).replace('"right":"bkt-a"', '"right":"bkt-b"')],
  ])("are none with %s", (_, text) => {
    expect(parseGuards(text)).toEqual(new Map());
  });

  it("are not guessed from what is no list", () => {
    expect(() => parseGuards("table inet becket {}")).toThrow(expect.toSatisfy(isParseError));
  });
});
