// What a set, as it stands in the form, makes of a route: worked out here, by the function that the control plane answers with and that is held
// against BIRD.
import { type CreatePolicySet, TestPolicySet } from "#schema/api/policy-sets";
import { evaluatePolicy, type PolicyRoute } from "#schema/evaluate-policy";
import { type PolicyAction, toPolicyRules } from "#schema/policy";
import { splitWords } from "./policy-draft-model.ts";

/** A route as typed. */
export interface RouteDraft {
  readonly prefix: string;
  readonly asPath: string;
  readonly communities: string;
}
export const NO_ROUTE: RouteDraft = { prefix: "", asPath: "", communities: "" };

export interface Verdict {
  readonly action: PolicyAction;
  /** Which rule decides, from 0 in the order of the set; null: none matches, the default does. */
  readonly ruleIndex: number | null;
  /** In sentences: what the route is afterwards. */
  readonly results: readonly string[];
}

export type DryRun =
  /** No prefix was typed. */
  | { readonly state: "waiting" }
  | { readonly state: "refused"; readonly errors: Readonly<Record<string, string>> }
  | { readonly state: "decided"; readonly verdict: Verdict };

export function tryPolicy(set: CreatePolicySet, draft: RouteDraft): DryRun {
  if (draft.prefix.trim() === "") return { state: "waiting" };
  const parsed = TestPolicySet.safeParse({
    prefix: draft.prefix.trim(),
    asPath: splitWords(draft.asPath).map(Number),
    communities: splitWords(draft.communities),
  });
  if (!parsed.success) return { state: "refused", errors: toErrors(parsed.error.issues, draft) };
  const { action, ruleIndex, route, prependCount } = evaluatePolicy(toPolicyRules(set), parsed.data);
  const enabled = set.rules.flatMap((rule, index) => (rule.enabled ? [index] : []));
  return {
    state: "decided",
    verdict: {
      action,
      ruleIndex: ruleIndex === null ? null : (enabled[ruleIndex] ?? null),
      results: action === "reject" ? [] : toResults(parsed.data, route, prependCount),
    },
  };
}

function toErrors(
  issues: readonly { readonly path: PropertyKey[]; readonly message: string }[],
  draft: RouteDraft,
): Record<string, string> {
  const errors: Record<string, string> = {};
  for (const {
    path: [field = "", index],
    message,
  } of issues) {
    const word = typeof index === "number" ? splitWords(draft[field as keyof RouteDraft])[index] : undefined;
    errors[String(field)] ??=
      field === "asPath" ? `${word ?? ""} is no AS number`.trim() : [word, message].filter(Boolean).join(" ");
  }
  return errors;
}

function toResults(before: PolicyRoute, after: PolicyRoute, prependCount: number): string[] {
  return [
    ...(after.localPreference === before.localPreference ? [] : [`Local preference ${after.localPreference}`]),
    ...(after.med === before.med ? [] : [`MED ${after.med}`]),
    ...(after.communities.join() === before.communities.join()
      ? []
      : [after.communities.length === 0 ? "No communities" : `Communities ${after.communities.join(", ")}`]),
    ...(prependCount === 0 ? [] : [`AS path longer by ${prependCount}, between meshes`]),
  ];
}
