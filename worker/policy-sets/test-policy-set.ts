import type { PolicyVerdict, TestPolicySet } from "#schema/api/policy-sets";
import { Community } from "#schema/community";
import { evaluatePolicy } from "#schema/evaluate-policy";
import type { PolicySetId } from "#schema/ids";
import { toPolicyRules } from "#schema/policy";
import { err, ok, type Result } from "#schema/result";
import { findPolicySet } from "../db/policy-sets.ts";
import type { Failure } from "../failure.ts";
import type { Services } from "../services.ts";

/** Changes nothing. */
export async function testPolicySet(
  { db }: Pick<Services, "db">,
  policySetId: PolicySetId,
  tried: TestPolicySet,
): Promise<Result<PolicyVerdict, Failure<"policy_set_not_found">>> {
  const set = await findPolicySet(db, policySetId);
  if (set === null) return err({ code: "policy_set_not_found" });
  const { action, ruleIndex, route, prependCount } = evaluatePolicy(toPolicyRules(set), tried);
  const { localPreference, med } = route;
  const communities = route.communities.map((community) => Community.parse(community));
  const ruleNumber = ruleIndex === null ? null : toNumber(set.rules, ruleIndex);
  return ok({ action, ruleNumber, localPreference, med, communities, prependCount });
}

/** Among all rules, of a place among those that are switched on. */
const toNumber = (rules: readonly { readonly enabled: boolean }[], index: number): number =>
  rules.flatMap(({ enabled }, position) => (enabled ? [position + 1] : []))[index] ?? 0;
