// Policy sets: ordered rules that accept, reject or change routes, the first that matches decides. What agents get of a set (PolicyRules) says
// nothing of BIRD: each compiles it for itself.
import { z } from "zod";
import { AsPathPattern } from "./as-path.ts";
import { Community } from "./community.ts";
import { PolicySetId } from "./ids.ts";
import {
  MAX_COMMUNITIES_PER_RULE,
  MAX_POLICY_DESCRIPTION_LENGTH,
  MAX_PREFIXES_PER_POLICY_SET,
  MAX_PREPENDS,
  MAX_RULES_PER_POLICY_SET,
} from "./limits.ts";
import { Name } from "./mesh.ts";
import { isIpv6Prefix, Prefix, toPrefixLength } from "./prefix.ts";
import { Timestamp } from "./timestamp.ts";

const isDistinct = (values: readonly string[]): boolean => new Set(values).size === values.length;
export const Uint32 = z.number().int().min(0).max(4_294_967_295);
const length = z.number().int().min(0).max(128);
const Communities = z.array(Community).max(MAX_COMMUNITIES_PER_RULE).refine(isDistinct, "must not name one twice");
const Description = z.string().max(MAX_POLICY_DESCRIPTION_LENGTH);

/** Strict, on the wire too: whoever does not know a condition must not take the rule for one that matches more. */
export const PolicyMatch = z
  .strictObject({
    prefixes: z
      .array(Prefix)
      .min(1)
      .max(MAX_PREFIXES_PER_POLICY_SET)
      .refine(isDistinct, "must not name a prefix twice")
      .optional()
      .meta({
        description:
          "The route's prefix is one of these: exactly, or with a bound on its length, one of these or inside one.",
        examples: [["192.168.0.0/16"]],
      }),
    minLength: length.optional().meta({
      description: "The shortest that the route's prefix may be; as long as the listed prefix when left out.",
      examples: [24],
    }),
    maxLength: length.optional().meta({
      description:
        "The longest that the route's prefix may be; without it, `minLength` alone allows up to single addresses.",
      examples: [32],
    }),
    communities: Communities.min(1).optional().describe("The route carries at least one of these."),
    asPath: AsPathPattern.optional(),
  })
  .superRefine(({ prefixes, minLength, maxLength }, context) => {
    const fault = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
    const bound = minLength === undefined ? "maxLength" : "minLength";
    if (minLength === undefined && maxLength === undefined) return;
    if (prefixes === undefined) return fault(bound, "bounds the lengths of prefixes: name some, 0.0.0.0/0 for all");
    if (new Set(prefixes.map(isIpv6Prefix)).size > 1) {
      return fault(bound, "bounds prefixes of one family: make one rule for IPv4 and one for IPv6");
    }
    const most = toLongest(prefixes[0] ?? "");
    const longest = Math.max(...prefixes.map(toPrefixLength));
    if (minLength !== undefined && minLength > most) return fault("minLength", `must be at most ${most}`);
    if (maxLength !== undefined && maxLength > most) return fault("maxLength", `must be at most ${most}`);
    if (minLength !== undefined && minLength < longest) {
      return fault("minLength", `must be at least ${longest}, the length of a prefix listed`);
    }
    const shortest = minLength ?? longest;
    if (maxLength !== undefined && maxLength < shortest) fault("maxLength", `must be at least ${shortest}`);
  })
  .meta({
    id: "PolicyMatch",
    description: "The conditions that a route has to meet, all of them. Without any the rule matches every route.",
  });
export type PolicyMatch = z.output<typeof PolicyMatch>;

export const PolicyAction = z
  .enum(["accept", "reject"])
  .meta({ id: "PolicyAction", description: "What happens to a route.", examples: ["accept"] });
export type PolicyAction = z.infer<typeof PolicyAction>;

/** `null`: stays as it is. */
const changes = {
  setLocalPreference: Uint32.nullable()
    .default(null)
    .meta({ description: "Its local preference from here on: the highest wins.", examples: [200] }),
  setMed: Uint32.nullable()
    .default(null)
    .meta({ description: "Its multi-exit discriminator from here on: the lowest wins.", examples: [null] }),
  setCommunities: Communities.nullable()
    .default(null)
    .meta({ description: "Replaces its communities, large ones too; empty: removes them all.", examples: [null] }),
  removeCommunities: Communities.default([]).describe("Taken away, after `setCommunities`."),
  addCommunities: Communities.default([]).describe("Added last."),
  prependCount: z
    .number()
    .int()
    .min(0)
    .max(MAX_PREPENDS)
    .default(0)
    .meta({
      description:
        "Between meshes, how often an AS number is put before its AS path, so that others prefer another way: on export the mesh's own, on import the " +
        "one it came from. Inside a mesh it changes nothing.",
      examples: [0],
    }),
};

export const PolicyRule = z
  .strictObject({ match: PolicyMatch.default({}), action: PolicyAction, ...changes })
  .superRefine(refuseIdleChanges);
/** One rule, as machines get it. */
export type PolicyRule = z.output<typeof PolicyRule>;

/** In the API a rule can be described, and switched off. */
export const NamedPolicyRule = z
  .strictObject({
    description: Description.default("").meta({ description: "For people.", examples: ["backup site"] }),
    enabled: z
      .boolean()
      .default(true)
      .meta({ description: "False: as if it were not there.", examples: [true] }),
    match: PolicyMatch.default({}),
    action: PolicyAction,
    ...changes,
  })
  .superRefine(refuseIdleChanges)
  .meta({
    id: "PolicyRule",
    description: "One rule: conditions, what happens to routes that meet them, and how they change.",
  });
export type NamedPolicyRule = z.output<typeof NamedPolicyRule>;

export const NamedPolicyRules = z
  .array(NamedPolicyRule)
  .max(MAX_RULES_PER_POLICY_SET)
  .refine(
    (rules) => rules.reduce((sum, { match }) => sum + (match.prefixes?.length ?? 0), 0) <= MAX_PREFIXES_PER_POLICY_SET,
    {
      message: `must have at most ${MAX_PREFIXES_PER_POLICY_SET} prefixes in all`,
    },
  )
  .describe("In order: the first that matches decides.");

const policyDefaults = {
  defaultAction: PolicyAction.describe("What happens to routes that no rule matches."),
  defaultLocalPreference: Uint32.nullable().meta({
    description: "The local preference of accepted routes whose rule sets none; null: it stays as it is.",
    examples: [null],
  }),
};

/** What a machine has to know of a set. Its order is the rules' order; rules that are switched off are left out. */
export const PolicyRules = z.object({ rules: z.array(PolicyRule), ...policyDefaults });
export type PolicyRules = z.output<typeof PolicyRules>;

/** Null: there is none. */
export const Policies = z.object({
  import: PolicyRules.nullable().default(null),
  export: PolicyRules.nullable().default(null),
});
export type Policies = z.output<typeof Policies>;
export const NO_POLICIES: Policies = { import: null, export: null };

export const policySetFields = {
  name: Name.meta({ description: "The set's name, unique among policy sets.", examples: ["prefer-main-site"] }),
  description: Description.meta({ description: "For people.", examples: ["the main site's gateway first"] }),
  ...policyDefaults,
  rules: NamedPolicyRules,
};

export const PolicySet = z
  .object({
    id: PolicySetId,
    ...policySetFields,
    createdAt: Timestamp.describe("When the set was created."),
  })
  .meta({
    id: "PolicySet",
    description:
      "Ordered rules that accept, reject or change routes. It does something once a mesh or a machine uses it.",
  });
export type PolicySet = z.output<typeof PolicySet>;

export const toPolicyRules = ({
  rules,
  defaultAction,
  defaultLocalPreference,
}: Pick<PolicySet, "rules" | "defaultAction" | "defaultLocalPreference">): PolicyRules => ({
  rules: rules.filter(({ enabled }) => enabled).map(({ description, enabled, ...rule }) => rule),
  defaultAction,
  defaultLocalPreference,
});

/** The lengths that a prefix inside a listed one may have; null: only exactly the listed one matches. */
export function toLengthBounds(
  { minLength, maxLength }: PolicyMatch,
  listed: Prefix,
): { min: number; max: number } | null {
  if (minLength === undefined && maxLength === undefined) return null;
  return { min: minLength ?? toPrefixLength(listed), max: maxLength ?? toLongest(listed) };
}

const toLongest = (prefix: string): number => (isIpv6Prefix(prefix) ? 128 : 32);

function refuseIdleChanges(
  rule: { action: PolicyAction } & { [Field in keyof typeof changes]: unknown },
  context: z.RefinementCtx,
): void {
  if (rule.action === "accept") return;
  for (const field of Object.keys(changes) as (keyof typeof changes)[]) {
    const value = rule[field];
    const isEmpty = Array.isArray(value) && value.length === 0 && field !== "setCommunities";
    const isIdle = value === null || isEmpty || (value === 0 && field === "prependCount");
    if (isIdle) continue;
    context.addIssue({ code: "custom", path: [field], message: "changes nothing: the rule rejects the route" });
  }
}
