import { expect, it } from "vitest";
import { parseTagDraft } from "./tag-draft-model.ts";

it.each([
  ["", []],
  [" web, site:berlin\nweb ", ["site:berlin", "web"]],
] as const)("takes %j", (text, tags) => expect(parseTagDraft(text)).toEqual({ ok: true, tags }));

it("names the tag at fault, and says when there are too many", () => {
  const wrong = parseTagDraft("web Site:Berlin");
  expect(wrong.ok ? "" : wrong.error).toMatch(/^Site:Berlin must be/);
  const many = parseTagDraft(Array.from({ length: 17 }, (_, index) => `t${index}`).join(" "));
  expect(many.ok ? "" : many.error).toContain("16");
});
