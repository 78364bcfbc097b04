import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Name } from "#schema/mesh";
import { toBaseName, toFreeName, toRandomName } from "./machine-name.ts";

describe("a machine's name", () => {
  it.each([
    ["Web-Server.example.org", "web-server"],
    ["büro-pc", "buro-pc"],
    ["MacBook Pro (2)", "macbook-pro-2"],
    ["--x--", "x"],
    ["", "machine"],
    ["日本", "machine"],
    [".hidden", "machine"],
  ])("comes from the host name %j as %j", (hostname, name) => {
    expect(toBaseName(hostname)).toBe(name);
  });

  it("is a valid name whatever the host name and the suffix are", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 255 }),
        fc.uint8Array({ minLength: 2, maxLength: 2 }),
        (hostname, random) => {
          const base = toBaseName(hostname);
          expect(Name.safeParse(base).success).toBe(true);
          expect(Name.safeParse(toRandomName(base, random)).success).toBe(true);
          expect(Name.safeParse(toFreeName(base, new Set([base]))).success).toBe(true);
        },
      ),
    );
  });

  it("takes the lowest suffix that is free", () => {
    expect(toFreeName("a", new Set())).toBe("a");
    expect(toFreeName("a", new Set(["a", "a-2", "a-4"]))).toBe("a-3");
  });
});
