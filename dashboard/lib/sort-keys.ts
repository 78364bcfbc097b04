// What lists are sorted by. Names of machines are letters, digits and hyphens: made into a key once, they are compared as plain text, where
// Intl's collator takes many times as long, and some milliseconds to be made.

export type SortKey = string | number;

const DIGITS = 20;

/** With it, `web-9` comes before `web-10`. */
export const toNaturalKey = (name: string): string => name.replace(/\d+/g, (digits) => digits.padStart(DIGITS, "0"));

export function compareKeys(a: SortKey, b: SortKey): number {
  if (typeof a === "number" && typeof b === "number") return a === b ? 0 : a - b;
  const [left, right] = [String(a), String(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}
