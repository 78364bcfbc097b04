import { describe, expect, test } from "vitest";
import { readAudit } from "./audit-report.ts";
import { findLockProblems } from "./lock-file.ts";

const integrity = `sha512-${"A".repeat(86)}==`;
const lockOf = (entry: object) => ({
  packages: { "": { name: "becket" }, "node_modules/x": { version: "1.0.0", ...entry } },
});

describe("the lock file", () => {
  test("is good with a hash of each package, whether it names the registry or leaves it out", () => {
    expect(findLockProblems(lockOf({ integrity }))).toEqual([]);
    expect(findLockProblems(lockOf({ integrity, resolved: "https://registry.npmjs.org/x/-/x-1.0.0.tgz" }))).toEqual([]);
  });

  test("needs none of a package inside the archive of another", () => {
    expect(findLockProblems(lockOf({ inBundle: true }))).toEqual([]);
  });

  test.each([
    ["no hash", {}, "has no SHA-512 hash"],
    ["a weak one", { integrity: "sha1-AAAA" }, "has no SHA-512 hash"],
    [
      "another host",
      { integrity, resolved: "https://registry.npmjs.org.example/x.tgz" },
      "comes from https://registry.npmjs.org.example",
    ],
    ["a repository", { integrity, resolved: "git+ssh://git@github.com/x/x.git#0" }, "comes from git+ssh"],
    ["a link", { link: true }, "is a link"],
  ])("is refused with %s", (_, entry, problem) => {
    expect(findLockProblems(lockOf(entry))).toEqual([expect.stringContaining(problem)]);
  });
});

describe("npm's audit", () => {
  const reportOf = (severity: string) =>
    JSON.stringify({
      vulnerabilities: {
        hono: {
          severity,
          range: "<4.13.20",
          via: [{ title: "Reads any file", url: "https://github.com/advisories/GHSA-x" }, "ws"],
        },
      },
    });

  test.each(["high", "critical"])("names what is vulnerable, and why: %s", (severity) => {
    expect(readAudit({ stdout: reportOf(severity), stderr: "" })).toEqual({
      kind: "answered",
      problems: [`hono <4.13.20: ${severity}: Reads any file https://github.com/advisories/GHSA-x; by ws`],
    });
  });

  test("is good with nothing, or nothing that is severe", () => {
    for (const stdout of ['{"vulnerabilities":{}}', reportOf("moderate")]) {
      expect(readAudit({ stdout, stderr: "" })).toEqual({ kind: "answered", problems: [] });
    }
  });

  test("is none where the registry has no such endpoint, or can't be reached", () => {
    const stdout =
      '{"message":"405 Method Not Allowed - POST https://registry.example/-/npm/v1/security/advisories/bulk","error":{}}';
    expect(readAudit({ stdout, stderr: "npm warn audit 405 Method Not Allowed" })).toEqual({
      kind: "unanswered",
      reason: "npm warn audit 405 Method Not Allowed",
    });
    expect(readAudit({ stdout: "", stderr: "" })).toEqual({ kind: "unanswered", reason: "npm said nothing" });
  });
});
