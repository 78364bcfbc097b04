// A policy set as its form holds it: everything is text. What it says is judged by the schemas that the control plane uses, with each fault at
// its field; rules have keys that stay when they move.
import { CreatePolicySet } from "#schema/api/policy-sets";
import { NamedPolicyRule, type PolicyAction, type PolicySet } from "#schema/policy";

export interface RuleDraft {
  readonly key: number;
  readonly description: string;
  readonly enabled: boolean;
  readonly prefixes: string;
  readonly minLength: string;
  readonly maxLength: string;
  readonly communities: string;
  /** `local`: the empty path, of what begins in the mesh itself. */
  readonly asPathMode: "any" | "local" | "pattern";
  readonly asPath: string;
  readonly action: PolicyAction;
  readonly setLocalPreference: string;
  readonly setMed: string;
  readonly communityMode: "keep" | "replace";
  readonly setCommunities: string;
  readonly removeCommunities: string;
  readonly addCommunities: string;
  readonly prependCount: string;
}

export interface SetDraft {
  readonly name: string;
  readonly description: string;
  readonly defaultAction: PolicyAction;
  readonly defaultLocalPreference: string;
  readonly rules: readonly RuleDraft[];
  readonly nextKey: number;
}

type SetFields = Pick<PolicySet, "name" | "description" | "defaultAction" | "defaultLocalPreference" | "rules">;

export function toSetDraft({ name, description, defaultAction, defaultLocalPreference, rules }: SetFields): SetDraft {
  return {
    ...{ name, description, defaultAction, defaultLocalPreference: toText(defaultLocalPreference) },
    rules: rules.map(toRuleDraft),
    nextKey: rules.length,
  };
}

function toRuleDraft(rule: NamedPolicyRule, key: number): RuleDraft {
  const { description, enabled, match, action } = rule;
  const asPath: Pick<RuleDraft, "asPathMode" | "asPath"> =
    match.asPath === undefined
      ? { asPathMode: "any", asPath: "" }
      : { asPathMode: match.asPath === "" ? "local" : "pattern", asPath: match.asPath };
  return {
    ...{ key, description, enabled, action, ...asPath },
    prefixes: (match.prefixes ?? []).join("\n"),
    minLength: toText(match.minLength),
    maxLength: toText(match.maxLength),
    communities: (match.communities ?? []).join(" "),
    setLocalPreference: toText(rule.setLocalPreference),
    setMed: toText(rule.setMed),
    communityMode: rule.setCommunities === null ? "keep" : "replace",
    setCommunities: (rule.setCommunities ?? []).join(" "),
    removeCommunities: rule.removeCommunities.join(" "),
    addCommunities: rule.addCommunities.join(" "),
    prependCount: rule.prependCount === 0 ? "" : String(rule.prependCount),
  };
}

const toText = (number: number | null | undefined): string => (number == null ? "" : String(number));

const NEW_RULE = toRuleDraft(NamedPolicyRule.parse({ action: "accept" }), 0);

/** A new rule comes last: the first that matches decides, so it takes nothing from those before it. */
export const addRule = (draft: SetDraft): SetDraft => ({
  ...draft,
  rules: [...draft.rules, { ...NEW_RULE, key: draft.nextKey }],
  nextKey: draft.nextKey + 1,
});

export const removeRule = (draft: SetDraft, key: number): SetDraft => ({
  ...draft,
  rules: draft.rules.filter((rule) => rule.key !== key),
});

export const changeRule = (draft: SetDraft, key: number, changes: Partial<RuleDraft>): SetDraft => ({
  ...draft,
  rules: draft.rules.map((rule) => (rule.key === key ? { ...rule, ...changes } : rule)),
});

/** @param by -1: up, before the one above; at the ends nothing moves */
export function moveRule(draft: SetDraft, key: number, by: -1 | 1): SetDraft {
  const from = draft.rules.findIndex((rule) => rule.key === key);
  const to = from + by;
  const [moved, other] = [draft.rules[from], draft.rules[to]];
  if (moved === undefined || other === undefined) return draft;
  return { ...draft, rules: draft.rules.with(to, moved).with(from, other) };
}

export type FieldErrors = Readonly<Record<string, string>>;
export type ParsedRule =
  | { readonly ok: true; readonly rule: NamedPolicyRule }
  | { readonly ok: false; readonly errors: FieldErrors };

export const splitWords = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);
/** Undefined when nothing is typed; what is no number fails in the schema. */
const toNumber = (text: string): number | undefined => (text.trim() === "" ? undefined : Number(text));

function toCandidate(draft: RuleDraft): unknown {
  const [prefixes, communities] = [splitWords(draft.prefixes), splitWords(draft.communities)];
  const match = {
    ...(prefixes.length > 0 ? { prefixes } : {}),
    minLength: toNumber(draft.minLength),
    maxLength: toNumber(draft.maxLength),
    ...(communities.length > 0 ? { communities } : {}),
    ...(draft.asPathMode === "any" ? {} : { asPath: draft.asPathMode === "local" ? "" : toPattern(draft.asPath) }),
  };
  const { description, enabled, action } = draft;
  // What is typed below a rule that rejects is kept for when it accepts again, and is not part of it.
  if (action === "reject") return { description, enabled, match, action };
  return {
    ...{ description, enabled, match, action },
    setLocalPreference: toNumber(draft.setLocalPreference) ?? null,
    setMed: toNumber(draft.setMed) ?? null,
    setCommunities: draft.communityMode === "keep" ? null : splitWords(draft.setCommunities),
    removeCommunities: splitWords(draft.removeCommunities),
    addCommunities: splitWords(draft.addCommunities),
    prependCount: toNumber(draft.prependCount) ?? 0,
  };
}

const toPattern = (text: string): string => text.trim().split(/\s+/).join(" ");

export function parseRule(draft: RuleDraft): ParsedRule {
  const parsed = NamedPolicyRule.safeParse(toCandidate(draft));
  const errors: Record<string, string> = {};
  // The empty pattern has a choice of its own.
  if (draft.asPathMode === "pattern" && draft.asPath.trim() === "") errors.asPath = "must have a pattern, as * 65001";
  for (const { path, message, code } of parsed.error?.issues ?? []) {
    const [field = "", index] = path[0] === "match" ? path.slice(1) : path;
    const words = typeof index === "number" ? splitWords(draft[field as "prefixes"])[index] : undefined;
    errors[String(field)] ??= [words, code === "invalid_type" ? "must be a whole number" : message]
      .filter(Boolean)
      .join(" ");
  }
  return parsed.success && Object.keys(errors).length === 0 ? { ok: true, rule: parsed.data } : { ok: false, errors };
}

export interface ParsedSet {
  /** Null while something is wrong. */
  readonly body: CreatePolicySet | null;
  /** Of the set's own fields; `rules`: of all rules together. */
  readonly errors: FieldErrors;
  readonly rules: ReadonlyMap<number, ParsedRule>;
}

export function parseSetDraft(draft: SetDraft): ParsedSet {
  const rules = new Map(draft.rules.map((rule) => [rule.key, parseRule(rule)]));
  const parsed = CreatePolicySet.safeParse({
    name: draft.name,
    description: draft.description,
    defaultAction: draft.defaultAction,
    defaultLocalPreference: toNumber(draft.defaultLocalPreference) ?? null,
    rules: [...rules.values()].flatMap((rule) => (rule.ok ? [rule.rule] : [])),
  });
  const errors: Record<string, string> = {};
  for (const { path, message, code } of parsed.error?.issues ?? []) {
    errors[String(path[0])] ??= code === "invalid_type" ? "must be a whole number" : message;
  }
  const isGood = parsed.success && [...rules.values()].every(({ ok }) => ok);
  return { body: isGood ? parsed.data : null, errors, rules };
}

/** What would be saved is not what was loaded; which keys the rules have says nothing. */
export const isSameSet = (one: SetDraft, other: SetDraft): boolean => toComparable(one) === toComparable(other);
const toComparable = ({ rules, nextKey, ...rest }: SetDraft): string =>
  JSON.stringify([rest, rules.map(({ key, ...rule }) => rule)]);
