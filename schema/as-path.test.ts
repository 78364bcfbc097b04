import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AsPathPattern, isAsPathMatching, parseAsPathPattern } from "./as-path.ts";

const isMatching = (pattern: string, path: readonly number[]) =>
  isAsPathMatching(path, parseAsPathPattern(AsPathPattern.parse(pattern)));

describe("a pattern", () => {
  it.each([
    ["", [], true],
    ["", [1], false],
    ["*", [], true],
    ["*", [1, 2, 3], true],
    ["?", [], false],
    ["?", [7], true],
    ["1 2", [1, 2], true],
    ["1 2", [2, 1], false],
    ["* 2", [1, 3, 2], true],
    ["* 2", [2], true],
    ["* 2", [2, 1], false],
    ["* 2 *", [1, 2, 1], true],
    ["? * ?", [1], false],
    ["? * ?", [1, 2], true],
    ["64512..65534", [65_000], true],
    ["64512..65534", [65_535], false],
    ["* *", [], true],
  ])("%j on %j: %s", (pattern, path, expected) => {
    expect(isMatching(pattern, path)).toBe(expected);
  });

  it("takes no longer for many gaps", () => {
    const pattern = Array.from({ length: 8 }, () => "* 1").join(" ");
    expect(
      isMatching(
        pattern,
        Array.from({ length: 64 }, (_, index) => (index === 63 ? 2 : 1)),
      ),
    ).toBe(false);
  });

  it("is what a regular expression over the same items says", () => {
    const item = fc.constantFrom("*", "?", "1", "2", "1..2", "3");
    fc.assert(
      fc.property(
        fc.array(item, { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 6 }),
        (items, path) => {
          const one: Record<string, string> = { "*": "(\\d,)*", "?": "\\d,", "1..2": "[12]," };
          const expression = new RegExp(`^${items.map((text) => one[text] ?? `${text},`).join("")}$`);
          expect(isMatching(items.join(" "), path)).toBe(expression.test(path.map((asn) => `${asn},`).join("")));
        },
      ),
    );
  });

  it.each([
    [" ", "single spaces"],
    ["1  2", "single spaces"],
    ["* ", "single spaces"],
    ["1;2", '"1;2" is none of them'],
    ["0", '"0" is none'],
    ["4294967296", "is none"],
    ["2..1", "is none"],
    ["1..2..3", "is none"],
    ["1..", "is none"],
    [".*", "is none"],
    ["=] then accept; [=", "is none"],
    [Array.from({ length: 17 }, () => "?").join(" "), "at most 16 items"],
  ])("%j is refused: %s", (text, message) => {
    expect(AsPathPattern.safeParse(text).error?.issues[0]?.message).toContain(message);
  });
});
