// Patterns over a route's AS path: a small subset of BIRD's masks, which BIRD and `isAsPathMatching` take for exactly the same. No regular
// expression: BIRD has none, and one that a person wrote could keep an evaluator busy for ever (docs/decisions/0013).
import { z } from "zod";
import { MAX_AS_PATH_LENGTH, MAX_AS_PATH_PATTERN_ITEMS } from "./limits.ts";

/** AS 0 is nobody's (RFC 7607). */
export const [FIRST_ASN, LAST_ASN] = [1, 4_294_967_295];

/** `any`: any number of AS numbers, none too; `one`: exactly one; else one between the two. */
export type AsPathItem = "any" | "one" | { readonly first: number; readonly last: number };

export const AsPathPattern = z
  .string()
  .max(MAX_AS_PATH_PATTERN_ITEMS * 22)
  .superRefine((text, context) => {
    const message = toFault(text);
    if (message !== null) context.addIssue({ code: "custom", message });
  })
  .meta({
    description:
      "A pattern for the whole AS path, its newest AS first: AS numbers, ranges of them (`64512..65534`), `?` for any one AS and `*` for any number " +
      "of them, separated by spaces. The empty pattern matches the empty path, that of what begins in the mesh itself.",
    examples: ["* 4200000001"],
  })
  .brand<"AsPathPattern">();
export type AsPathPattern = z.infer<typeof AsPathPattern>;

export const Asn = z.number().int().min(FIRST_ASN).max(LAST_ASN);
/** Newest first. */
export const AsPath = z
  .array(Asn)
  .max(MAX_AS_PATH_LENGTH)
  .meta({
    description: "The AS path, its newest AS first; empty for what begins in the mesh itself.",
    examples: [[4_200_000_001]],
  });

export const parseAsPathPattern = (pattern: AsPathPattern): AsPathItem[] =>
  toWords(pattern).map((word) => {
    const item = parseItem(word);
    if (item === null) throw new Error(`no item of an AS path pattern: ${word}`);
    return item;
  });

/** In time of path times pattern, whatever the pattern. */
export function isAsPathMatching(path: readonly number[], items: readonly AsPathItem[]): boolean {
  // reached[i]: the first i items match what was read of the path.
  let reached = afterGaps([true, ...items.map(() => false)], items);
  for (const asn of path) {
    const next = [false, ...items.map((item, index) => reached[index] === true && isOne(item, asn))];
    items.forEach((item, index) => {
      if (item === "any" && reached[index + 1] === true) next[index + 1] = true;
    });
    reached = afterGaps(next, items);
  }
  return reached[items.length] === true;
}

/** `any` may stand for nothing. */
function afterGaps(reached: boolean[], items: readonly AsPathItem[]): boolean[] {
  items.forEach((item, index) => {
    if (item === "any" && reached[index] === true) reached[index + 1] = true;
  });
  return reached;
}

const isOne = (item: AsPathItem, asn: number): boolean =>
  item === "one" || (item !== "any" && item.first <= asn && asn <= item.last);

const toWords = (text: string): string[] => (text === "" ? [] : text.split(" "));

function parseItem(word: string): AsPathItem | null {
  if (word === "*") return "any";
  if (word === "?") return "one";
  const [first = Number.NaN, last = first, ...more] = word.split("..").map(parseAsn);
  return more.length === 0 && first <= last ? { first, last } : null;
}

function parseAsn(text: string): number {
  const number = /^[1-9]\d{0,9}$/.test(text) ? Number(text) : Number.NaN;
  return number <= LAST_ASN ? number : Number.NaN;
}

function toFault(text: string): string | null {
  const words = toWords(text);
  if (words.length > MAX_AS_PATH_PATTERN_ITEMS) return `must have at most ${MAX_AS_PATH_PATTERN_ITEMS} items`;
  const wrong = words.find((word) => parseItem(word) === null);
  if (wrong === "") return "must have single spaces between its items, and none around them";
  return wrong === undefined
    ? null
    : `must consist of AS numbers, ranges like 64512..65534, ? and *: ${JSON.stringify(wrong.slice(0, 32))} is none of them`;
}
