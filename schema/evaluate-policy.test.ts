import { describe, expect, it } from "vitest";
import { evaluatePolicy, type PolicyRoute } from "./evaluate-policy.ts";
import { PolicyRules } from "./policy.ts";
import { Prefix } from "./prefix.ts";

const route = (prefix: string, others: Partial<PolicyRoute> = {}): PolicyRoute => ({
  ...{ prefix: Prefix.parse(prefix), asPath: [], communities: [], localPreference: null, med: null },
  ...others,
});
const policy = (rules: object[], others: object = {}) =>
  PolicyRules.parse({ rules, defaultAction: "reject", defaultLocalPreference: null, ...others });
const deciding = (rules: object[], tried: PolicyRoute) => evaluatePolicy(policy(rules), tried).ruleIndex;

describe("which rule decides", () => {
  it("is the first that matches, and none where none does", () => {
    const rules = [
      { match: { prefixes: ["10.1.0.0/16"] }, action: "reject" },
      { match: { prefixes: ["10.0.0.0/8"], maxLength: 32 }, action: "accept" },
      { match: { prefixes: ["10.2.0.0/16"] }, action: "reject" },
    ];
    expect(evaluatePolicy(policy(rules), route("10.1.0.0/16"))).toMatchObject({ action: "reject", ruleIndex: 0 });
    expect(evaluatePolicy(policy(rules), route("10.2.0.0/16"))).toMatchObject({ action: "accept", ruleIndex: 1 });
    expect(evaluatePolicy(policy(rules), route("11.0.0.0/8"))).toMatchObject({ action: "reject", ruleIndex: null });
  });

  it.each([
    [{}, "10.0.0.0/8", 0],
    [{}, "10.1.0.0/16", null],
    [{ maxLength: 24 }, "10.0.0.0/8", 0],
    [{ maxLength: 24 }, "10.1.1.0/24", 0],
    [{ maxLength: 24 }, "10.1.1.0/25", null],
    [{ minLength: 24 }, "10.1.0.0/16", null],
    [{ minLength: 24 }, "10.1.1.1/32", 0],
    [{ minLength: 16, maxLength: 16 }, "10.1.0.0/16", 0],
    [{ maxLength: 24 }, "11.1.1.0/24", null],
    [{ maxLength: 24 }, "0.0.0.0/0", null],
    [{ maxLength: 24 }, "fd00::/8", null],
  ])("10.0.0.0/8 with %j on %s: %s", (bounds, prefix, expected) => {
    expect(deciding([{ match: { prefixes: ["10.0.0.0/8"], ...bounds }, action: "accept" }], route(prefix))).toBe(
      expected,
    );
  });

  it("needs all conditions of a rule, and one of each list", () => {
    const match = { prefixes: ["10.0.0.0/8", "11.0.0.0/8"], communities: ["1:1", "1:2:3"], asPath: "* 7" };
    const rules = [{ match, action: "accept" }];
    const whole = { communities: ["9:9", "1:2:3"], asPath: [8, 7] };
    expect(deciding(rules, route("11.0.0.0/8", whole))).toBe(0);
    expect(deciding(rules, route("12.0.0.0/8", whole))).toBeNull();
    expect(deciding(rules, route("11.0.0.0/8", { ...whole, communities: ["1:2"] }))).toBeNull();
    expect(deciding(rules, route("11.0.0.0/8", { ...whole, asPath: [7, 8] }))).toBeNull();
  });
});

describe("what becomes of the route", () => {
  const given = { communities: ["1:1", "1:2"], localPreference: 50, med: 5, asPath: [7] };

  it("stays when nothing is set", () => {
    const tried = route("10.0.0.0/8", given);
    expect(evaluatePolicy(policy([{ action: "accept" }]), tried).route).toEqual(tried);
    expect(evaluatePolicy(policy([], { defaultAction: "accept" }), tried).route).toEqual(tried);
  });

  it("has the rule's local preference, or the set's where the rule has none, also where no rule matched", () => {
    const preferenceOf = (rules: object[]) =>
      evaluatePolicy(policy(rules, { defaultAction: "accept", defaultLocalPreference: 90 }), route("10.0.0.0/8", given))
        .route.localPreference;
    expect(preferenceOf([{ action: "accept", setLocalPreference: 0 }])).toBe(0);
    expect(preferenceOf([{ action: "accept" }])).toBe(90);
    expect(preferenceOf([])).toBe(90);
  });

  it("replaces communities, then removes, then adds", () => {
    const communitiesOf = (rule: object) =>
      evaluatePolicy(policy([{ action: "accept", ...rule }]), route("10.0.0.0/8", given)).route.communities;
    expect(communitiesOf({ setCommunities: [] })).toEqual([]);
    expect(communitiesOf({ addCommunities: ["1:2", "1:3"] })).toEqual(["1:1", "1:2", "1:3"]);
    expect(communitiesOf({ removeCommunities: ["1:1"], addCommunities: ["1:1"] })).toEqual(["1:2", "1:1"]);
    expect(communitiesOf({ setCommunities: ["2:2", "2:3:4"], removeCommunities: ["2:2"] })).toEqual(["2:3:4"]);
  });

  it("is nothing when it is rejected", () => {
    const tried = route("10.0.0.0/8", given);
    const decided = evaluatePolicy(policy([], { defaultLocalPreference: 90 }), tried);
    expect(decided).toEqual({ action: "reject", ruleIndex: null, route: tried, prependCount: 0 });
  });
});
