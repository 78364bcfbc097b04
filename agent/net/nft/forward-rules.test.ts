import { describe, expect, it } from "vitest";
import { isParseError } from "../../system/parse-error.ts";
import { parseGuards, renderGuard } from "./forward-rules.ts";

describe("the rules of a guarded interface", () => {
  it("drop what would leave by another interface than itself", () => {
    expect(renderGuard("bkt-prod", ["bkt-prod"])).toBe(`\
table inet becket {
  chain forward-bkt-prod {
  }
}
delete chain inet becket forward-bkt-prod
table inet becket {
  chain forward-bkt-prod {
    type filter hook forward priority 0; policy accept;
    iifname "bkt-prod" oifname != "bkt-prod" drop
  }
}
`);
  });

  it.each([
    ["several places", ["bkt-prod", "eth1"], 'iifname "bkt-prod" oifname != { "bkt-prod", "eth1" } drop'],
    ["nowhere", [], 'iifname "bkt-prod" drop'],
  ])("allow %s", (_, to, rule) => {
    expect(renderGuard("bkt-prod", to)).toContain(`    ${rule}\n`);
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
    expect(guards(came, leaves("bkt-a"), drop)).toEqual(["bkt-a"]);
    expect(guards(came, leaves({ set: ["eth9", "bkt-a"] }), drop)).toEqual(["bkt-a", "eth9"]);
    expect(guards(came, drop)).toEqual([]);
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
