import { describe, expect, it } from "vitest";
import { parseSignInSearch, readLinkToken } from "./sign-in-search.ts";

describe("the sign-in page's address", () => {
  it("goes back to paths of this page only", () => {
    expect(parseSignInSearch({ returnTo: "/meshes?q=a" })).toEqual({ returnTo: "/meshes?q=a" });
    for (const returnTo of ["//evil.example", "/\\evil.example", "https://evil.example", "", 7]) {
      expect(parseSignInSearch({ returnTo })).toEqual({});
    }
  });

  it("knows the errors of the contract and drops others", () => {
    expect(parseSignInSearch({ error: "not_allowed", requestId: "req_1" })).toEqual({
      error: "not_allowed",
      requestId: "req_1",
    });
    expect(parseSignInSearch({ error: "<b>" })).toEqual({});
  });

  it("reads a link's token from the fragment", () => {
    expect(readLinkToken("#link=bkl_abc")).toBe("bkl_abc");
    expect(readLinkToken("")).toBeNull();
  });
});
