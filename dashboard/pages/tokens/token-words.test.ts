import { expect, it } from "vitest";
import { MeshId } from "#schema/ids";
import { describeMeshes } from "./token-words.ts";

it("says which meshes a join token is for", () => {
  const id = MeshId.parse("msh_01kaqx4d8e6v2m9t7w3hncz5rb");
  expect(describeMeshes(null, new Map())).toBe("the default mesh");
  expect(describeMeshes([], new Map())).toBe("no mesh");
  expect(describeMeshes([id], new Map([[id, "office"]]))).toBe("office");
  expect(describeMeshes([id], new Map())).toBe("a deleted mesh");
});
