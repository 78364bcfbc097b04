import { execFileSync } from "node:child_process";

/**
 * Files of the repository, tracked or new, that match one of git's patterns; ignored and deleted ones left out.
 * git refuses another user's clone unless told otherwise, and root runs the tests in such ones.
 */
export function listFiles(...patterns: string[]): string[] {
  const list = (...flags: string[]) =>
    execFileSync("git", ["-c", "safe.directory=*", "ls-files", "-z", ...flags, "--", ...patterns], { encoding: "utf8" })
      .split("\0")
      .filter((file) => file !== "");
  const deleted = new Set(list("--deleted"));
  return list("--cached", "--others", "--exclude-standard").filter((file) => !deleted.has(file));
}
