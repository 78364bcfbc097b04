// Brings node_modules to what package-lock.json says, when it is not that already.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { installPath, runInstaller } from "./installer.mjs";
import { withLock } from "./lock.mjs";

/** @param {string} root the repository */
export async function installNpmPackages(root) {
  if (isInstalled(root)) return;
  const lockName = `becket-npm-${createHash("sha256").update(root).digest("hex").slice(0, 16)}`;
  await withLock(lockName, async () => {
    if (isInstalled(root)) return;
    process.stderr.write("becket: installing npm packages (npm ci) …\n");
    const argv = ["npm", "ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"];
    await runInstaller(argv, { cwd: root, env: { ...process.env, PATH: installPath() } });
    if (!isInstalled(root)) throw new Error("npm ci ended well, but node_modules is not what package-lock.json says");
  });
}

/**
 * npm keeps in node_modules/.package-lock.json what it installed, and writes it last. Comparing that with package-lock.json
 * also accepts what a developer's `npm install` made. Optional packages (of other platforms) may be missing.
 *
 * @param {string} root
 */
function isInstalled(root) {
  if (!existsSync(path.join(root, "node_modules/.bin/node"))) return false;
  const wanted = readPackages(path.join(root, "package-lock.json"));
  const present = readPackages(path.join(root, "node_modules/.package-lock.json"));
  return Object.entries(wanted).every(([name, entry]) => {
    if (name === "") return true;
    const found = present[name];
    if (found === undefined) return entry.optional === true;
    return found.version === entry.version && found.integrity === entry.integrity;
  });
}

/**
 * @param {string} file
 * @returns {Record<string, { version?: string, integrity?: string, optional?: boolean }>}
 */
function readPackages(file) {
  if (!existsSync(file)) return {};
  return JSON.parse(readFileSync(file, "utf8")).packages ?? {};
}
