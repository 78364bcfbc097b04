import { expect, test } from "vitest";
import { renderAge, renderBytes, renderTable } from "./render-table.ts";

test("aligns columns and leaves no space at the end of a line", () => {
  const columns = [{ title: "NAME" }, { title: "SIZE", align: "right" as const }, { title: "WHY" }];
  const rows = [
    ["a", "5", ""],
    ["longer", "1000", "because"],
  ];
  expect(renderTable(columns, rows)).toBe(["NAME    SIZE  WHY", "a          5", "longer  1000  because"].join("\n"));
});

test.each([
  [0, "0 B"],
  [1_023, "1023 B"],
  [1_536, "1.5 KiB"],
  [5 * 1_024 ** 4 * 1_024, "5120.0 TiB"],
])("%i bytes are %s", (bytes, text) => expect(renderBytes(bytes)).toBe(text));

test.each([
  [0, "0 s"],
  [119, "119 s"],
  [120, "2 min"],
  [7_200, "2 h"],
  [400_000, "4 d"],
])("%i seconds are %s", (seconds, text) => expect(renderAge(seconds)).toBe(text));
