import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { NOUNS } from "./nouns.ts";

it("are those that docs/operations.md names", () => {
  const page = readFileSync(path.resolve(import.meta.dirname, "../../docs/operations.md"), "utf8");
  const [, list = ""] = /^The nouns are ([^;]+);/m.exec(page) ?? [];
  expect([...list.matchAll(/`([^`]+)`/g)].map(([, noun]) => noun)).toEqual(Object.keys(NOUNS));
});
