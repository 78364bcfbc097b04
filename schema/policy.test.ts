import { describe, expect, it } from "vitest";
import { NamedPolicyRule, NamedPolicyRules, type PolicySet, toPolicyRules } from "./policy.ts";

const faultsOf = (rule: unknown) =>
  NamedPolicyRule.safeParse(rule).error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`) ?? [];
const accept = (match: object) => ({ match, action: "accept" });

describe("a rule", () => {
  it("matches everything and changes nothing unless it says so", () => {
    expect(NamedPolicyRule.parse({ action: "accept" })).toEqual({
      ...{ description: "", enabled: true, match: {}, action: "accept", prependCount: 0 },
      ...{ setLocalPreference: null, setMed: null, setCommunities: null, addCommunities: [], removeCommunities: [] },
    });
  });

  it.each([
    { prefixes: ["10.0.0.0/8"] },
    { prefixes: ["10.0.0.0/8", "fd00::/8"], communities: ["65000:1", "4200000001:1:1"], asPath: "* 4200000001" },
    { prefixes: ["10.0.0.0/8", "10.0.0.0/16"], minLength: 16, maxLength: 32 },
    { prefixes: ["10.0.0.0/8"], maxLength: 8 },
    { prefixes: ["0.0.0.0/0"], minLength: 0 },
    { prefixes: ["fd00::/8"], maxLength: 128 },
    { asPath: "" },
  ])("takes %j", (match) => {
    expect(faultsOf(accept(match))).toEqual([]);
  });

  it.each([
    [{ prefixes: ["10.0.0.1/8"] }, "match.prefixes.0: must be a network without host bits, as 10.0.0.0/8 is"],
    [{ prefixes: ["FD00::/8"] }, "match.prefixes.0: must be a network without host bits, as fd00::/8 is"],
    [{ prefixes: ["10.0.0.0/8", "10.0.0.0/8"] }, "match.prefixes: must not name a prefix twice"],
    [{ prefixes: ["10.0.0.0/8"], minLength: 4 }, "match.minLength: must be at least 8, the length of a prefix listed"],
    [{ prefixes: ["10.0.0.0/8", "10.1.0.0/16"], maxLength: 12 }, "match.maxLength: must be at least 16"],
    [{ prefixes: ["10.0.0.0/8"], minLength: 24, maxLength: 16 }, "match.maxLength: must be at least 24"],
    [{ prefixes: ["10.0.0.0/8"], maxLength: 33 }, "match.maxLength: must be at most 32"],
    [{ minLength: 8 }, "match.minLength: bounds the lengths of prefixes: name some, 0.0.0.0/0 for all"],
    [
      { prefixes: ["10.0.0.0/8", "fd00::/8"], maxLength: 24 },
      "match.maxLength: bounds prefixes of one family: make one rule for IPv4 and one for IPv6",
    ],
    [{ communities: ["1:1", "1:1"] }, "match.communities: must not name one twice"],
  ])("refuses %j", (match, fault) => {
    expect(faultsOf(accept(match))).toEqual([fault]);
  });

  it("does not take a condition that it doesn't know for none", () => {
    expect(faultsOf(accept({ prefix: ["10.0.0.0/8"] }))).toEqual(['match: Unrecognized key: "prefix"']);
    expect(faultsOf({ action: "reject", communities: ["1:1"] })).toEqual([': Unrecognized key: "communities"']);
    expect(faultsOf(accept({ prefixes: [] }))).toHaveLength(1);
    expect(faultsOf(accept({ communities: [] }))).toHaveLength(1);
  });

  it.each([
    { setLocalPreference: 0 },
    { setMed: 1 },
    { setCommunities: [] },
    { addCommunities: ["1:1"] },
    { removeCommunities: ["1:1"] },
    { prependCount: 1 },
  ])("that rejects does not change with %j", (change) => {
    expect(faultsOf({ action: "reject", ...change })).toEqual([
      `${Object.keys(change)[0]}: changes nothing: the rule rejects the route`,
    ]);
  });
});

describe("a set", () => {
  it("has at most 256 prefixes in all its rules", () => {
    const rule = (first: number, count: number) =>
      accept({ prefixes: Array.from({ length: count }, (_, index) => `10.${first}.${index}.0/24`) });
    expect(NamedPolicyRules.safeParse([rule(1, 128), rule(2, 128)]).success).toBe(true);
    expect(NamedPolicyRules.safeParse([rule(1, 128), rule(2, 129)]).success).toBe(false);
  });

  it("is told to machines without what is for people, and without rules that are switched off", () => {
    const rules = NamedPolicyRules.parse([
      { action: "reject", enabled: false },
      { ...accept({ asPath: "*" }), description: "x" },
    ]);
    const set: Pick<PolicySet, "rules" | "defaultAction" | "defaultLocalPreference"> = {
      ...{ rules, defaultAction: "reject", defaultLocalPreference: 90 },
    };
    const told = toPolicyRules(set);
    expect(told).toMatchObject({
      rules: [accept({ asPath: "*" })],
      defaultAction: "reject",
      defaultLocalPreference: 90,
    });
    expect(told.rules[0]).not.toHaveProperty("description");
  });
});
