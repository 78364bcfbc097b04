import fc from "fast-check";
import { expect, it } from "vitest";
import { parseReturnTo } from "./return-to.ts";

const ORIGIN = "https://becket.example.org";

it.each([
  ["/", "/"],
  ["/machines/mch_1?tab=peers#row", "/machines/mch_1?tab=peers#row"],
  ["/a/../b", "/b"],
  ["/apiary", "/apiary"],
])("keeps the page %s", (text, path) => {
  expect(parseReturnTo(text)).toBe(path);
});

it.each([
  null,
  "",
  "machines",
  "https://evil.example",
  "//evil.example",
  "/\\evil.example",
  "\\\\evil.example",
  "/\t/evil.example",
  "/\n/evil.example",
  "/.//evil.example",
  "/x/..//evil.example",
  "/%2e//evil.example",
  "javascript:alert(1)",
  " //evil.example",
  "/api/v1/meshes",
  "/./api/sign-in/oidc",
  "/api",
  `/${"x".repeat(2_000)}`,
])("goes home instead of to %j", (text) => {
  expect(parseReturnTo(text)).toBe("/");
});

it("never leaves the origin, whatever the text", () => {
  const piece = fc.constantFrom(
    "/",
    "\\",
    ".",
    "..",
    "//",
    "\t",
    "\r\n",
    "%2f",
    "%5c",
    "@",
    ":",
    "evil.example",
    "?",
    "#",
    "https:",
  );
  const text = fc.oneof(
    fc.array(piece, { maxLength: 8 }).map((parts) => `/${parts.join("")}`),
    fc.string({ unit: "binary" }).map((rest) => `/${rest}`),
  );
  fc.assert(
    fc.property(text, (raw) => {
      const path = parseReturnTo(raw);
      expect(path).toMatch(/^\/(?![/\\])/);
      expect(path).toMatch(/^[!-~]+$/);
      expect(new URL(path, ORIGIN).origin).toBe(ORIGIN);
    }),
    { numRuns: 2_000 },
  );
});
