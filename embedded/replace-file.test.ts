import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { replaceFile } from "./replace-file.ts";
import { createStateFolder } from "./testing/control-plane-process.ts";

it("makes a file that is its user's alone, also where another one was, or what a killed writer left", () => {
  const folder = createStateFolder();
  const file = path.join(folder, "url");
  writeFileSync(file, "former", { mode: 0o644 });
  writeFileSync(`${file}.new`, "half", { mode: 0o644 });
  replaceFile(file, "all");
  expect(readFileSync(file, "utf8")).toBe("all");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(["url"]);
});

it("leaves nothing beside the file when that can't be replaced", () => {
  const folder = createStateFolder();
  mkdirSync(path.join(folder, "url"));
  expect(() => replaceFile(path.join(folder, "url"), "all")).toThrow("EISDIR");
  expect(readdirSync(folder)).toEqual(["url"]);
});
