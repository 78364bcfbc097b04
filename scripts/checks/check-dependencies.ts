// Dependencies: the lock file pins each by a hash and from npm's own registry; and none that is shipped has a known vulnerability of high
// severity, where the registry answers such questions. A mirror may not: then this says so, loudly, and the rest stands.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { readAudit } from "../dependencies/audit-report.ts";
import { findLockProblems } from "../dependencies/lock-file.ts";
import { reportProblems } from "./report-problems.ts";

/** npm tries again by itself; without a network that would take minutes. */
const AUDIT = ["audit", "--omit=dev", "--audit-level=high", "--json", "--fetch-retries=1", "--fetch-timeout=20000"];
const LIMIT_MS = 60_000;

const lockProblems = findLockProblems(JSON.parse(readFileSync("package-lock.json", "utf8")));
const { stdout, stderr } = spawnSync("npm", AUDIT, { encoding: "utf8", timeout: LIMIT_MS });
const audit = readAudit({ stdout: stdout ?? "", stderr: stderr ?? "" });
if (audit.kind === "unanswered") {
  process.stdout.write(
    `!! NOT AUDITED: known vulnerabilities were not looked for, because the registry did not answer: ${audit.reason}\n` +
      "!! Run `npm audit --omit=dev` where registry.npmjs.org can be reached.\n",
  );
}
reportProblems([...lockProblems, ...(audit.kind === "answered" ? audit.problems : [])]);
