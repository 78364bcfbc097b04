import { describe, expect, it } from "vitest";
import { MAX_TAGS_PER_MACHINE } from "./limits.ts";
import { Tag, Tags, toSite } from "./tag.ts";

describe("a tag", () => {
  it.each(["web", "web-2", "9", "site:berlin", "rack:b7.2", "a".repeat(31), `${"a".repeat(31)}:${"b".repeat(31)}`])(
    "may be %s",
    (tag) => expect(Tag.safeParse(tag).success).toBe(true),
  );

  it.each([
    "",
    "Web",
    "-web",
    "web_2",
    "site:",
    ":berlin",
    "a:b:c",
    "a b",
    "none",
    "a".repeat(32),
    `a:${"b".repeat(32)}`,
    "ä",
  ])("may not be %s", (tag) => expect(Tag.safeParse(tag).success).toBe(false));
});

it("tags are kept in order, each once, and few", () => {
  expect(Tags.parse(["web", "site:berlin", "web"])).toEqual(["site:berlin", "web"]);
  const many = Array.from({ length: MAX_TAGS_PER_MACHINE + 1 }, (_, index) => `t${index}`);
  expect(Tags.safeParse(many).success).toBe(false);
  expect(Tags.safeParse(many.slice(1)).success).toBe(true);
});

it("a machine's site is said by a tag", () => {
  expect(toSite(["rack:7", "site:berlin", "site:zurich"])).toBe("berlin");
  expect(toSite(["sites", "web"])).toBeNull();
});
