import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Name } from "#schema/mesh";
import { MESH_A } from "../testing/desired-devices.ts";
import { parseAlias, renderAlias, toInterfaceName } from "./interface-name.ts";

describe("toInterfaceName", () => {
  it.each([
    ["prod", [], "bkt-prod"],
    ["a-very-long-mesh-name", [], "bkt-a-very-long"],
    ["eleven-char-and-more", [], "bkt-eleven-char"],
    ["cut-before--a", [], "bkt-cut-before"],
    ["prod", ["bkt-prod"], "bkt-prod-2"],
    ["a-very-long-mesh-name", ["bkt-a-very-long"], "bkt-a-very-lo-2"],
    ["a-very-long-mesh-name", ["bkt-a-very-long", "bkt-a-very-lo-2"], "bkt-a-very-lo-3"],
  ])("of mesh %s, with %j taken, is %s", (mesh, taken, expected) => {
    expect(toInterfaceName(mesh, new Set(taken))).toBe(expected);
  });

  it("is always one that Linux takes, and never one that is taken", () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/), { maxLength: 30 }), (meshes) => {
        const taken = new Set<string>();
        for (const mesh of meshes.filter((name) => Name.safeParse(name).success)) {
          const name = toInterfaceName(mesh, taken);
          expect(name).toMatch(/^bkt-[a-z0-9-]{1,11}$/);
          expect(taken.has(name)).toBe(false);
          taken.add(name);
        }
      }),
    );
  });
});

describe("the alias", () => {
  it("tells the mesh that an interface was made for", () => {
    expect(parseAlias(renderAlias(MESH_A))).toBe(MESH_A);
  });

  it.each([null, "", "becket", "becket ", "becket something", `other ${MESH_A}`, MESH_A])("%j is not ours", (alias) => {
    expect(parseAlias(alias)).toBeNull();
  });
});
