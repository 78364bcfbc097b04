// A policy as a function of BIRD's filter language, for BIRD 2.0.12 and newer. Pure. It does what schema/evaluate-policy.ts says: true is accept, and
// the route is changed by then. Nothing but numbers and networks gets in.
import { type AsPathItem, type AsPathPattern, parseAsPathPattern } from "#schema/as-path";
import { isLargeCommunity } from "#schema/community";
import { type PolicyMatch, type PolicyRule, type PolicyRules, toLengthBounds } from "#schema/policy";
import { isIpv6Prefix, type Prefix } from "#schema/prefix";

export interface PolicyFunction {
  /** Without brackets. */
  readonly name: string;
  readonly family: "ipv4" | "ipv6";
  readonly policy: PolicyRules;
  /** What `prependCount` puts before the AS path, as BIRD says it; null: nothing, as inside a mesh. */
  readonly prepended: string | null;
}

export function renderPolicy({ name, family, policy, prepended }: PolicyFunction): string {
  const { rules, defaultAction, defaultLocalPreference } = policy;
  const lines: string[] = [];
  let isDecided = false;
  for (const rule of rules) {
    const conditions = renderConditions(rule.match, family);
    if (conditions === null) continue;
    const statements = renderStatements(rule, { defaultLocalPreference, prepended });
    isDecided = conditions.length === 0;
    lines.push(...(isDecided ? statements : renderIf(conditions, statements)));
    if (isDecided) break;
  }
  if (!isDecided) lines.push(...renderDefault(defaultAction, defaultLocalPreference));
  return [`function ${name}() {`, ...lines.map(indent), "}"].join("\n");
}

/**
 * The same policy, as far as prefixes say it: true where some route to the prefix can be accepted. For whoever sees routes after the policy
 * changed them, and so can't look at communities and AS path any more. Changes nothing.
 */
export function renderPolicyBound({ name, family, policy }: Omit<PolicyFunction, "prepended">): string {
  const rules = policy.rules
    .filter(
      ({ action, match }) => action === "accept" || (match.communities === undefined && match.asPath === undefined),
    )
    .map(({ action, match: { communities, asPath, ...match } }) => ({ ...UNCHANGED, match, action }));
  return renderPolicy({ name, family, policy: { ...policy, rules, defaultLocalPreference: null }, prepended: null });
}

const UNCHANGED: Omit<PolicyRule, "match" | "action"> = {
  ...{ setLocalPreference: null, setMed: null, setCommunities: null, removeCommunities: [], addCommunities: [] },
  prependCount: 0,
};

/** Null: no route of this family meets them. BIRD has no empty sets. */
function renderConditions(match: PolicyMatch, family: PolicyFunction["family"]): string[] | null {
  const { prefixes, communities, asPath } = match;
  const ofFamily = prefixes?.filter((prefix) => isIpv6Prefix(prefix) === (family === "ipv6"));
  if (ofFamily?.length === 0) return null;
  return [
    ...(ofFamily === undefined
      ? []
      : [`net ~ [ ${ofFamily.map((prefix) => renderPrefix(match, prefix)).join(", ")} ]`]),
    ...(communities === undefined ? [] : [renderAnyOf(communities)]),
    ...(asPath === undefined ? [] : [`bgp_path ~ ${renderMask(asPath)}`]),
  ];
}

function renderPrefix(match: PolicyMatch, prefix: Prefix): string {
  const bounds = toLengthBounds(match, prefix);
  return bounds === null ? prefix : `${prefix}{${bounds.min},${bounds.max}}`;
}

function renderAnyOf(communities: readonly string[]): string {
  const carried = byAttribute(communities).map(([attribute, of]) => `${attribute} ~ [ ${of.map(toTuple).join(", ")} ]`);
  return carried.length === 1 ? carried.join("") : `(${carried.join(" || ")})`;
}

const renderMask = (pattern: AsPathPattern): string =>
  `[= ${[...parseAsPathPattern(pattern).map(renderItem), "=]"].join(" ")}`;

function renderItem(item: AsPathItem): string {
  if (item === "any") return "*";
  if (item === "one") return "?";
  return item.first === item.last ? `${item.first}` : `${item.first}..${item.last}`;
}

function renderStatements(
  rule: PolicyRule,
  { defaultLocalPreference, prepended }: Pick<PolicyFunction, "prepended"> & { defaultLocalPreference: number | null },
): string[] {
  if (rule.action === "reject") return ["return false;"];
  const localPreference = rule.setLocalPreference ?? defaultLocalPreference;
  const { setMed, setCommunities, removeCommunities, addCommunities, prependCount } = rule;
  const change = (verb: "add" | "delete", communities: readonly string[]) =>
    byAttribute(communities).flatMap(([attribute, of]) => of.map((one) => `${attribute}.${verb}(${toTuple(one)});`));
  return [
    ...(localPreference === null ? [] : [`bgp_local_pref = ${localPreference};`]),
    ...(setMed === null ? [] : [`bgp_med = ${setMed};`]),
    ...(setCommunities === null ? [] : ["bgp_community.empty;", "bgp_large_community.empty;"]),
    ...change("add", setCommunities ?? []),
    ...change("delete", removeCommunities),
    ...change("add", addCommunities),
    ...(prepended === null ? [] : Array.from({ length: prependCount }, () => `bgp_path.prepend(${prepended});`)),
    "return true;",
  ];
}

function renderDefault(action: PolicyRule["action"], localPreference: number | null): string[] {
  if (action === "reject") return ["return false;"];
  return [...(localPreference === null ? [] : [`bgp_local_pref = ${localPreference};`]), "return true;"];
}

function renderIf(conditions: readonly string[], statements: readonly string[]): string[] {
  const condition = conditions.join(" && ");
  if (statements.length === 1) return [`if ${condition} then ${statements.join("")}`];
  return [`if ${condition} then {`, ...statements.map(indent), "}"];
}

function byAttribute(communities: readonly string[]): [string, readonly string[]][] {
  const all: [string, readonly string[]][] = [
    ["bgp_community", communities.filter((community) => !isLargeCommunity(community))],
    ["bgp_large_community", communities.filter(isLargeCommunity)],
  ];
  return all.filter(([, of]) => of.length > 0);
}

const toTuple = (community: string): string => `(${community.replaceAll(":", ",")})`;
const indent = (line: string): string => `  ${line}`;
