import { describe, expect, it } from "vitest";
import { NamedPolicyRules } from "#schema/policy";
import {
  addRule,
  changeRule,
  isSameSet,
  moveRule,
  parseRule,
  parseSetDraft,
  removeRule,
  type SetDraft,
  toSetDraft,
} from "./policy-draft-model.ts";

const rules = NamedPolicyRules.parse([
  {
    ...{ description: "main site", action: "accept", setLocalPreference: 200, setCommunities: [], prependCount: 2 },
    match: { prefixes: ["192.168.0.0/16"], maxLength: 24, communities: ["65000:1"], asPath: "* 4200000001" },
  },
  { match: { asPath: "" }, action: "reject", enabled: false },
]);
const set = { description: "", defaultAction: "reject", defaultLocalPreference: 50, rules } as const;
const draft = toSetDraft({ ...set, name: "prefer-main-site" } as Parameters<typeof toSetDraft>[0]);
const descriptions = ({ rules: all }: SetDraft) => all.map(({ description }) => description);
const faultsOf = (changes: Parameters<typeof changeRule>[2]) => {
  const [rule] = changeRule(draft, 0, changes).rules;
  const parsed = rule && parseRule(rule);
  return parsed?.ok === false ? parsed.errors : {};
};

it("comes back as it was", () => {
  expect(parseSetDraft(draft).body).toEqual({ ...set, name: "prefer-main-site" });
});

describe("rules", () => {
  const three = ["a", "b", "c"].reduce(
    (all, description) => changeRule(addRule(all), all.nextKey, { description }),
    toSetDraft({ ...set, name: "x", rules: [] } as unknown as Parameters<typeof toSetDraft>[0]),
  );

  it("come last when they are new, and keep their keys when they move", () => {
    expect(descriptions(three)).toEqual(["a", "b", "c"]);
    const moved = moveRule(three, 2, -1);
    expect(descriptions(moved)).toEqual(["a", "c", "b"]);
    expect(moved.rules.map(({ key }) => key)).toEqual([0, 2, 1]);
  });

  it("stay where they are at the ends", () => {
    expect(moveRule(three, 0, -1)).toBe(three);
    expect(moveRule(three, 2, 1)).toBe(three);
  });

  it("never get the key of one that went", () => {
    expect(addRule(removeRule(three, 2)).rules.map(({ key }) => key)).toEqual([0, 1, 3]);
  });
});

describe("a rule's faults", () => {
  it("stand at their fields, with the item that is meant", () => {
    expect(faultsOf({ prefixes: "10.0.0.0/8 192.168.7.1/24" }).prefixes).toBe(
      "192.168.7.1/24 must be a network without host bits, as 192.168.7.0/24 is",
    );
    expect(faultsOf({ maxLength: "8" }).maxLength).toBe("must be at least 16");
    expect(faultsOf({ addCommunities: "65000:1, x" }).addCommunities).toMatch(/^x must be a community/);
  });

  it("say of what is no number that it is none", () => {
    expect(faultsOf({ setMed: "ten" }).setMed).toBe("must be a whole number");
    expect(Object.keys(faultsOf({ prependCount: "11" }))).toEqual(["prependCount"]);
  });

  it("are not looked for in changes of a rule that rejects", () => {
    expect(faultsOf({ action: "reject", setMed: "ten" })).toEqual({});
  });

  it("tell a pattern that is missing from the empty one that was chosen", () => {
    expect(Object.keys(faultsOf({ asPathMode: "pattern", asPath: " " }))).toEqual(["asPath"]);
    expect(faultsOf({ asPathMode: "local", asPath: "" })).toEqual({});
  });
});

it("has no body while a rule or the name is at fault", () => {
  expect(parseSetDraft({ ...draft, name: "Not A Name" })).toMatchObject({
    body: null,
    errors: { name: expect.any(String) },
  });
  expect(parseSetDraft(changeRule(draft, 0, { prefixes: "x" })).body).toBeNull();
});

it("is the same set when something was moved there and back", () => {
  expect(isSameSet(moveRule(draft, 0, 1), draft)).toBe(false);
  expect(isSameSet(moveRule(moveRule(draft, 0, 1), 0, -1), draft)).toBe(true);
  expect(isSameSet(removeRule(addRule(draft), 2), draft)).toBe(true);
});
