import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Name } from "#schema/mesh";
import { toBaseName, toRandomName, toWantedNames } from "./machine-name.ts";

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
          for (const name of toWantedNames(base)) expect(Name.safeParse(name).success).toBe(true);
        },
      ),
    );
  });

  it("is wanted without a suffix first, then with a low one", () => {
    expect(toWantedNames("a").slice(0, 3)).toEqual(["a", "a-2", "a-3"]);
  });
});
