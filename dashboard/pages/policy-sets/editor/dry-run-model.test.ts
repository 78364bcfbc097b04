import { expect, it } from "vitest";
import { CreatePolicySet } from "#schema/api/policy-sets";
import { NO_ROUTE, tryPolicy } from "./dry-run-model.ts";

const set = CreatePolicySet.parse({
  name: "x",
  defaultAction: "reject",
  rules: [
    { action: "reject", enabled: false },
    { match: { prefixes: ["10.0.0.0/8"], maxLength: 24 }, action: "accept", setLocalPreference: 200, prependCount: 2 },
    { match: { asPath: "* 65001", communities: ["1:1"] }, action: "accept", setCommunities: [] },
  ],
});
const decide = (route: object) => tryPolicy(set, { ...NO_ROUTE, ...route });

it("waits for a prefix", () => expect(decide({ prefix: " " })).toEqual({ state: "waiting" }));

it("counts rules that are switched off, and says what becomes of the route", () =>
  expect(decide({ prefix: "10.1.0.0/16" })).toEqual({
    state: "decided",
    verdict: {
      action: "accept",
      ruleIndex: 1,
      results: ["Local preference 200", "AS path longer by 2, between meshes"],
    },
  }));

it("reads AS path and communities as people write them", () =>
  expect(decide({ prefix: "192.168.7.0/24", asPath: "65002, 65001", communities: "1:1 2:2" })).toMatchObject({
    verdict: { ruleIndex: 2, results: ["No communities"] },
  }));

it("leaves it to the default when no rule matches", () =>
  expect(decide({ prefix: "192.168.7.0/24" })).toEqual({
    state: "decided",
    verdict: { action: "reject", ruleIndex: null, results: [] },
  }));

it("names what is at fault", () =>
  expect(decide({ prefix: "10.1.0.1/16", asPath: "65001 x", communities: "1" })).toMatchObject({
    state: "refused",
    errors: { prefix: expect.stringMatching("host bits"), asPath: "x is no AS number" },
  }));
