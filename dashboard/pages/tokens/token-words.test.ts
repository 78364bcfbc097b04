import { expect, it } from "vitest";
import { MeshId } from "#schema/ids";
import { describeMeshes, orderJoinTokens } from "./token-words.ts";

it("says which meshes a join token is for", () => {
  const id = MeshId.parse("msh_01kaqx4d8e6v2m9t7w3hncz5rb");
  expect(describeMeshes(null, new Map())).toBe("the default mesh");
  expect(describeMeshes([], new Map())).toBe("no mesh");
  expect(describeMeshes([id], new Map([[id, "office"]]))).toBe("office");
  expect(describeMeshes([id], new Map())).toBe("a deleted mesh");
});

it("has join tokens that can be used first, and the newest before others", () => {
  const token = (createdAt: string, status: "active" | "used_up" = "active") => ({ createdAt, status });
  const [old, used, young] = [
    token("2026-11-23T09:00"),
    token("2026-11-23T09:10", "used_up"),
    token("2026-11-23T09:20"),
  ];
  expect(orderJoinTokens([old, used, young])).toEqual([young, old, used]);
});
