import { expect, it } from "vitest";
import { Community, isLargeCommunity } from "./community.ts";

it.each(["0:0", "65535:65535", "65000:100", "4200000001:1:100", "4294967295:0:4294967295"])("takes %s", (text) => {
  expect(Community.parse(text)).toBe(text);
});

it.each([
  ...[
    "",
    "65000",
    "65536:1",
    "1:65536",
    "01:1",
    "1:01",
    "-1:1",
    "1:1 ",
    "1:2:3:4",
    "4294967296:1:1",
    "1:1:1e3",
    "a:b",
    "1::2",
  ],
  ...["no-export", "65000:*", "9".repeat(40)],
])("refuses %j", (text) => {
  expect(Community.safeParse(text).success).toBe(false);
});

it("knows a large one", () => {
  expect(["65000:1", "65000:1:1"].map(isLargeCommunity)).toEqual([false, true]);
});
