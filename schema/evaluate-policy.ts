// What a policy makes of a route. Agents have BIRD do the same (agent/bird/render-policy.ts); a test holds the two against each other.
import { isAsPathMatching, parseAsPathPattern } from "./as-path.ts";
import { type PolicyAction, type PolicyMatch, type PolicyRule, type PolicyRules, toLengthBounds } from "./policy.ts";
import { isWithin, type Prefix, toPrefixLength } from "./prefix.ts";

export interface PolicyRoute {
  readonly prefix: Prefix;
  /** Newest first. */
  readonly asPath: readonly number[];
  readonly communities: readonly string[];
  /** Null: it has none. */
  readonly localPreference: number | null;
  readonly med: number | null;
}

export interface PolicyDecision {
  readonly action: PolicyAction;
  /** Which of the rules decided, from 0; null: none matched. */
  readonly ruleIndex: number | null;
  /** As it is afterwards, but for the AS path; as it was, when it is rejected. */
  readonly route: PolicyRoute;
  readonly prependCount: number;
}

export function evaluatePolicy(policy: PolicyRules, route: PolicyRoute): PolicyDecision {
  const index = policy.rules.findIndex(({ match }) => isMatching(match, route));
  const rule = policy.rules[index];
  const action = rule?.action ?? policy.defaultAction;
  const ruleIndex = rule === undefined ? null : index;
  if (action === "reject") return { action, ruleIndex, route, prependCount: 0 };
  const changed = {
    ...route,
    localPreference: rule?.setLocalPreference ?? policy.defaultLocalPreference ?? route.localPreference,
    med: rule?.setMed ?? route.med,
    communities: rule === undefined ? route.communities : changeCommunities(rule, route.communities),
  };
  return { action, ruleIndex, route: changed, prependCount: rule?.prependCount ?? 0 };
}

function isMatching(match: PolicyMatch, { prefix, communities, asPath }: PolicyRoute): boolean {
  if (match.prefixes !== undefined && !match.prefixes.some((listed) => isListed(match, listed, prefix))) return false;
  if (match.communities !== undefined && !match.communities.some((one) => communities.includes(one))) return false;
  return match.asPath === undefined || isAsPathMatching(asPath, parseAsPathPattern(match.asPath));
}

function isListed(match: PolicyMatch, listed: Prefix, prefix: Prefix): boolean {
  const bounds = toLengthBounds(match, listed);
  if (bounds === null) return prefix === listed;
  const length = toPrefixLength(prefix);
  return bounds.min <= length && length <= bounds.max && isWithin(prefix, listed);
}

function changeCommunities(rule: PolicyRule, communities: readonly string[]): string[] {
  const { setCommunities, removeCommunities, addCommunities } = rule;
  const removed = new Set<string>(removeCommunities);
  const kept = (setCommunities ?? communities).filter((community) => !removed.has(community));
  return [...new Set([...kept, ...addCommunities])];
}
