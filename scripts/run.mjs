// The entry of the npm commands, also on a fresh clone: plain JavaScript for the system's Node (20 or newer), no
// dependencies. It installs what is missing (npm packages, and with --lab Debian packages, with --browser a browser, with
// --shells those that completion is tried in), says so on stderr, then runs a TypeScript entry with the repository's own
// Node and becomes its stand-in: same output, signals, exit code.
//
//   node scripts/run.mjs [--lab [--browser] [--shells]] ENTRY [arguments of the entry…]
import path from "node:path";
import { installDebianPackages } from "./bootstrap/debian-packages.mjs";
import { SHELLS } from "./bootstrap/debian-programs.mjs";
import { installNpmPackages } from "./bootstrap/npm-packages.mjs";
import { runEntry } from "./bootstrap/run-entry.mjs";

const root = path.resolve(import.meta.dirname, "..");
const args = process.argv.slice(2);
const NEEDS = ["--lab", "--browser", "--shells"];
const first = args.findIndex((arg) => !NEEDS.includes(arg));
const needs = first === -1 ? args : args.slice(0, first);
const [entry, ...entryArgs] = args.slice(needs.length);

try {
  if (entry === undefined)
    throw new Error("usage: node scripts/run.mjs [--lab [--browser] [--shells]] ENTRY [ARGUMENT…]");
  await installNpmPackages(root);
  const others = needs.includes("--shells") ? SHELLS : {};
  if (needs.includes("--lab")) await installDebianPackages({ withBrowser: needs.includes("--browser"), others });
  await runEntry({ root, entry, args: entryArgs });
} catch (error) {
  process.stderr.write(`becket: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
