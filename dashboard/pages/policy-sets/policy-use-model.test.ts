import { expect, it } from "vitest";
import { nameUses, toPolicySetUses } from "./policy-use-model.ts";

const user = (name: string, importPolicySetId: string | null, exportPolicySetId: string | null) =>
  ({ id: `${name}-id`, name, importPolicySetId, exportPolicySetId }) as never;

it("finds meshes first, then machines, and says for what", () => {
  const uses = toPolicySetUses("p", [user("office", "p", "p"), user("lab", null, "q")], [user("gateway", null, "p")]);
  expect(uses).toEqual([
    { kind: "mesh", id: "office-id", name: "office", as: "import and export" },
    { kind: "machine", id: "gateway-id", name: "gateway", as: "export" },
  ]);
});

it("names two and counts the rest", () => {
  const uses = toPolicySetUses("p", [user("a", "p", null), user("b", "p", null), user("c", "p", null)], []);
  expect([nameUses([]), nameUses(uses.slice(0, 2)), nameUses(uses)]).toEqual([null, "a and b", "a, b and 1 more"]);
});
