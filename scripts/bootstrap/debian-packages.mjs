// The programs that labs are made of, from Debian's packages. Only what is missing, and never recommended packages:
// wireguard-go recommends a kernel.
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { BROWSER, PROGRAMS, SERVICES } from "./debian-programs.mjs";
import { runInstaller } from "./installer.mjs";
import { withLock } from "./lock.mjs";

// A person's PATH may lack sbin, where most of these live.
const FOLDERS = [...(process.env.PATH ?? "").split(path.delimiter), "/usr/sbin", "/sbin", "/usr/bin", "/bin"];
const LISTS = "/var/lib/apt/lists";

/** @type {typeof import("./debian-packages.d.mts").installDebianPackages} */
export async function installDebianPackages({ withBrowser, others = {} }) {
  const needed = { ...PROGRAMS, ...(withBrowser ? BROWSER : {}), ...others };
  const packages = findMissing(needed);
  if (process.platform !== "linux" || packages.length === 0) return;
  if (process.getuid?.() !== 0 || !isProgram("apt-get")) {
    const how = `apt-get install --no-install-recommends ${packages.join(" ")}`;
    process.stderr.write(`becket: network labs need Debian packages that are missing here: ${packages.join(", ")}\n`);
    process.stderr.write(`becket: run as root on Debian to have them installed, or install them yourself: ${how}\n`);
    return;
  }
  await withLock("becket-apt", async () => {
    const wanted = findMissing(needed);
    if (wanted.length === 0) return;
    process.stderr.write(`becket: installing Debian packages: ${wanted.join(", ")} …\n`);
    if (!hasPackageLists()) await aptGet("update");
    await aptGet("install", "-y", "--no-install-recommends", ...wanted).catch(async () => {
      process.stderr.write("becket: trying again with fresh package lists …\n");
      await aptGet("update");
      await aptGet("install", "-y", "--no-install-recommends", ...wanted);
    });
    await disableServices(wanted);
  });
}

/** @param {string[]} packages that were not there before, so that nobody else counts on their services */
async function disableServices(packages) {
  const services = Object.entries(SERVICES).flatMap(([name, service]) => (packages.includes(name) ? [service] : []));
  if (services.length === 0 || !isProgram("systemctl")) return;
  await runInstaller(["systemctl", "--quiet", "disable", ...services]);
}

/** @param {Record<string, string>} needed */
function findMissing(needed) {
  const missing = Object.entries(needed).filter(([program]) => !isProgram(program));
  return [...new Set(missing.map(([, name]) => name))];
}

/** @param {string} name */
function isProgram(name) {
  return FOLDERS.some((folder) => existsSync(path.resolve(folder, name)));
}

function hasPackageLists() {
  return existsSync(LISTS) && readdirSync(LISTS).some((file) => file.includes("_Packages"));
}

/** @param {string[]} args */
function aptGet(...args) {
  // Another apt may be at work (a machine's first minutes): wait for its lock instead of failing.
  return runInstaller(["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", ...args], {
    // SYSTEMD_OFFLINE: no service is started (systemd's ENVIRONMENT.md).
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", SYSTEMD_OFFLINE: "1" },
  });
}
