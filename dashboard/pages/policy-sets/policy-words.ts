// Rules in people's words.
import type { NamedPolicyRule, PolicyAction, PolicyMatch } from "#schema/policy";

export const ACTION_WORDS: Readonly<Record<PolicyAction, { readonly label: string; readonly tone: "good" | "bad" }>> = {
  accept: { label: "accept", tone: "good" },
  reject: { label: "reject", tone: "bad" },
};

const MOST = 3;
const list = (items: readonly string[], joint: string): string => {
  const more = items.length - MOST;
  return more > 0 ? `${items.slice(0, MOST).join(", ")} ${joint} ${more} more` : join(items, joint);
};
const join = (items: readonly string[], joint: string): string =>
  items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} ${joint} ${items.at(-1)}`;

/** `in 192.168.0.0/16 up to /24, with community 65000:1` */
export function describeMatch(match: PolicyMatch): string {
  const { prefixes, communities, asPath } = match;
  const conditions = [
    ...(prefixes === undefined ? [] : [describePrefixes(prefixes, match)]),
    ...(communities === undefined ? [] : [`with community ${list(communities, "or")}`]),
    ...(asPath === undefined ? [] : [asPath === "" ? "beginning in the mesh itself" : `with AS path ${asPath}`]),
  ];
  return conditions.length === 0 ? "every route" : conditions.join(", ");
}

function describePrefixes(prefixes: readonly string[], { minLength, maxLength }: PolicyMatch): string {
  const names = list(prefixes, "or");
  if (minLength === undefined && maxLength === undefined) return `exactly ${names}`;
  const bounds = [
    ...(minLength === undefined ? [] : [`from /${minLength}`]),
    ...(maxLength === undefined ? [] : [`up to /${maxLength}`]),
  ];
  return `in ${names} ${bounds.join(" ")}`;
}

/** `local preference 200, adds 65000:7` */
export function describeChanges(rule: NamedPolicyRule): string | null {
  const { setLocalPreference, setMed, setCommunities, removeCommunities, addCommunities, prependCount } = rule;
  const changes = [
    ...(setLocalPreference === null ? [] : [`local preference ${setLocalPreference}`]),
    ...(setMed === null ? [] : [`MED ${setMed}`]),
    ...(setCommunities === null
      ? []
      : [setCommunities.length === 0 ? "no communities" : `communities ${list(setCommunities, "and")}`]),
    ...(removeCommunities.length === 0 ? [] : [`removes ${list(removeCommunities, "and")}`]),
    ...(addCommunities.length === 0 ? [] : [`adds ${list(addCommunities, "and")}`]),
    ...(prependCount === 0 ? [] : [`prepends ${prependCount}×`]),
  ];
  return changes.length === 0 ? null : changes.join(", ");
}
