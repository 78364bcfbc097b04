import { expect, it } from "vitest";
import { NamedPolicyRule } from "#schema/policy";
import { describeChanges, describeMatch } from "./policy-words.ts";

const rule = (facts: object) => NamedPolicyRule.parse({ action: "accept", ...facts });

it.each([
  [{}, "every route"],
  [{ prefixes: ["10.0.0.0/8", "fd00::/8"] }, "exactly 10.0.0.0/8 or fd00::/8"],
  [{ prefixes: ["10.0.0.0/8"], minLength: 16, maxLength: 24 }, "in 10.0.0.0/8 from /16 up to /24"],
  [{ prefixes: ["10.0.0.0/8"], minLength: 16 }, "in 10.0.0.0/8 from /16"],
  [
    { communities: ["1:1", "1:2", "1:3", "1:4", "1:5"], asPath: "* 7" },
    "with community 1:1, 1:2, 1:3 or 2 more, with AS path * 7",
  ],
  [{ asPath: "" }, "beginning in the mesh itself"],
])("says of %j %s", (match, words) => expect(describeMatch(rule({ match }).match)).toBe(words));

it.each([
  [{}, null],
  [{ setLocalPreference: 0, setMed: 5, prependCount: 2 }, "local preference 0, MED 5, prepends 2×"],
  [{ setCommunities: [], addCommunities: ["1:1"] }, "no communities, adds 1:1"],
  [{ setCommunities: ["1:1", "2:2"], removeCommunities: ["3:3"] }, "communities 1:1 and 2:2, removes 3:3"],
])("says of %j %s", (changes, words) => expect(describeChanges(rule(changes))).toBe(words));
