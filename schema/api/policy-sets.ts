import { z } from "zod";
import { AsPath } from "../as-path.ts";
import { Community } from "../community.ts";
import { PolicySetId } from "../ids.ts";
import { MAX_COMMUNITIES_PER_RULE } from "../limits.ts";
import { PolicyAction, PolicySet, policySetFields, Uint32 } from "../policy.ts";
import { Prefix } from "../prefix.ts";
import { defineOperation, PageQuery, pageOf } from "./operation.ts";

const tag = "policy-sets";
const params = z.object({ policySetId: PolicySetId });
const { name, description, defaultAction, defaultLocalPreference, rules } = policySetFields;

export const CreatePolicySet = z
  .object({
    name,
    description: description.default(""),
    defaultAction: defaultAction.default("accept"),
    defaultLocalPreference: defaultLocalPreference.default(null),
    rules: rules.default([]),
  })
  .meta({
    id: "CreatePolicySet",
    examples: [
      {
        name: "prefer-main-site",
        defaultAction: "reject",
        rules: [{ match: { prefixes: ["192.168.0.0/16"], maxLength: 24 }, action: "accept", setLocalPreference: 200 }],
      },
    ],
  });
export type CreatePolicySet = z.infer<typeof CreatePolicySet>;

export const UpdatePolicySet = z
  .object({
    name: name.optional(),
    description: description.optional(),
    defaultAction: defaultAction.optional(),
    defaultLocalPreference: defaultLocalPreference.optional(),
    rules: rules.optional(),
  })
  .meta({ id: "UpdatePolicySet", description: "What is left out stays; the rules are replaced as a whole." });
export type UpdatePolicySet = z.infer<typeof UpdatePolicySet>;

const communities = z.array(Community).max(4 * MAX_COMMUNITIES_PER_RULE);

export const TestPolicySet = z
  .object({
    prefix: Prefix,
    asPath: AsPath.default([]),
    communities: communities.default([]).describe("What it carries."),
    localPreference: Uint32.nullable()
      .default(null)
      .meta({ description: "Its local preference.", examples: [100] }),
    med: Uint32.nullable()
      .default(null)
      .meta({ description: "Its multi-exit discriminator.", examples: [null] }),
  })
  .meta({
    id: "TestPolicySet",
    description: "A route, as it is before the policy set.",
    examples: [{ prefix: "192.168.7.0/24", asPath: [4_200_000_001], communities: ["65000:100"] }],
  });
export type TestPolicySet = z.infer<typeof TestPolicySet>;

export const PolicyVerdict = z
  .object({
    action: PolicyAction,
    ruleNumber: z
      .number()
      .int()
      .min(1)
      .nullable()
      .meta({
        description:
          "Which rule decides, counted from 1 in the order of the set, those that are switched off included; null: none matches, the default action decides.",
        examples: [1],
      }),
    localPreference: Uint32.nullable().meta({ description: "The route's afterwards; null: none.", examples: [200] }),
    med: Uint32.nullable().meta({ description: "The route's afterwards; null: none.", examples: [null] }),
    communities: z.array(Community).meta({ description: "The route's afterwards.", examples: [["65000:100"]] }),
    prependCount: z
      .number()
      .int()
      .meta({ description: "How often an AS number is put before its AS path, between meshes.", examples: [0] }),
  })
  .meta({
    id: "PolicyVerdict",
    description: "What the policy set makes of the route. A rejected route stays as it was.",
  });
export type PolicyVerdict = z.infer<typeof PolicyVerdict>;

export const listPolicySets = defineOperation({
  id: "listPolicySets",
  tag,
  method: "get",
  path: "/policy-sets",
  summary: "List policy sets",
  role: "viewer",
  query: PageQuery,
  status: 200,
  reply: pageOf(PolicySet, "PolicySetPage"),
  errors: ["cursor_invalid"],
});
export const createPolicySet = defineOperation({
  id: "createPolicySet",
  tag,
  method: "post",
  path: "/policy-sets",
  summary: "Create a policy set",
  description:
    "It does nothing until a mesh or a machine is told to use it, with its `importPolicySetId` or `exportPolicySetId`.",
  role: "admin",
  body: CreatePolicySet,
  status: 201,
  reply: PolicySet,
  isIdempotencyKeyAccepted: true,
  errors: ["name_taken"],
});
export const getPolicySet = defineOperation({
  id: "getPolicySet",
  tag,
  method: "get",
  path: "/policy-sets/{policySetId}",
  summary: "Read a policy set",
  role: "viewer",
  params,
  status: 200,
  reply: PolicySet,
  errors: ["policy_set_not_found"],
});
export const updatePolicySet = defineOperation({
  id: "updatePolicySet",
  tag,
  method: "patch",
  path: "/policy-sets/{policySetId}",
  summary: "Change a policy set",
  description: "Every mesh and every machine that uses it is told at once. No BGP session is interrupted.",
  role: "admin",
  params,
  body: UpdatePolicySet,
  status: 200,
  reply: PolicySet,
  errors: ["policy_set_not_found", "name_taken", "limit_reached"],
});
export const deletePolicySet = defineOperation({
  id: "deletePolicySet",
  tag,
  method: "delete",
  path: "/policy-sets/{policySetId}",
  summary: "Delete a policy set",
  description: "Refused while a mesh or a machine uses it.",
  role: "admin",
  params,
  status: 204,
  errors: ["policy_set_not_found", "policy_set_in_use"],
});
export const testPolicySet = defineOperation({
  id: "testPolicySet",
  tag,
  method: "post",
  path: "/policy-sets/{policySetId}/test",
  summary: "Try a policy set on a route, without changing anything",
  description: "Tells which rule decides, and what becomes of the route.",
  role: "viewer",
  params,
  body: TestPolicySet,
  status: 200,
  reply: PolicyVerdict,
  errors: ["policy_set_not_found"],
});
