import { expect, test } from "vitest";
import { parseHeadings, parseLinks } from "./parse-markdown.ts";

test("finds inline links, images and reference definitions", () => {
  const text = 'See [a](docs/a.md#top "A") and ![b](b.svg), or [c][c].\n\n[c]: ../c.md\n';
  expect(parseLinks(text)).toEqual(["docs/a.md#top", "b.svg", "../c.md"]);
});

test("takes no links from code", () => {
  expect(parseLinks("`[a](x.md)`\n\n```\n[b](y.md)\n```\n\n[c](z.md)\n")).toEqual(["z.md"]);
});

test("names headings as GitHub does, numbering repeated ones", () => {
  const text = "# What it is\n\n## `npm run lab`: play\n\n```\n# not a heading\n```\n\n## Next\n\n## Next\n";
  expect(parseHeadings(text)).toEqual(["what-it-is", "npm-run-lab-play", "next", "next-1"]);
});
