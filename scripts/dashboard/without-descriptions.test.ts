import { describe, expect, it } from "vitest";
import { removeDescriptions } from "./without-descriptions.ts";

describe("the page's schemas", () => {
  it("lose their descriptions, wherever these stand, and nothing else", () => {
    const code = `export const Mesh = z
  .object({ name: Name.meta({ description: "a.describe(b)", examples: [z.iso().describe("in it").parse("")] }), mtu: z.int().describe("MTU").max(9) })
  .meta({ id: "Mesh" });
const description: string = meta.describe;`;
    expect(removeDescriptions(code)).toBe(`export const Mesh = z
  .object({ name: Name, mtu: z.int().max(9) });
const description: string = meta.describe;`);
  });
});
