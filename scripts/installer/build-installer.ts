// Puts the agent, named by its content, and install.sh, which knows its hash, among the static files of the control plane.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { bundleAgent } from "../agent-bundle.ts";
import { type InstallerParts, type NodeBuilds, renderInstaller } from "./render-installer.ts";

const repository = path.resolve(import.meta.dirname, "../..");
const sources = path.join(repository, "installer");
/** One text, cut by what it is about. */
const SCRIPT = [
  "about",
  "say",
  "machine",
  "packages",
  "remove-packages",
  "node",
  "agent",
  "service",
  "upgrade",
  "main",
];
/** Where the Worker finds it: worker/routes/installer.ts. */
const TEMPLATE = "install-script.txt";
/** What of it the control plane itself has to know: worker/agent-build.ts. */
const AGENT_BUILD = "agent-build.json";

/** Folders and files that what is installed is made of. */
export const INSTALLER_SOURCES = ["installer", "scripts/installer", "scripts/agent-bundle.ts", "agent", "schema"];

export async function buildInstaller(folder: string): Promise<void> {
  const agent = await bundleAgent();
  const agentSha256 = createHash("sha256").update(agent, "latin1").digest("hex");
  const agentFile = `becket-${agentSha256.slice(0, 16)}.mjs`;
  const { version } = JSON.parse(readFileSync(path.join(repository, "package.json"), "utf8")) as { version: string };
  const template = renderInstaller(readParts(), { version, agentFile, agentSha256, node: readNodeBuilds() });
  const bundles = path.join(folder, "install");
  replaceFile(path.join(bundles, agentFile), agent);
  // What names the agent goes after it.
  replaceFile(path.join(folder, TEMPLATE), template);
  replaceFile(path.join(folder, AGENT_BUILD), JSON.stringify({ version, sha256: agentSha256 }));
  for (const file of readdirSync(bundles)) {
    if (file.endsWith(".mjs") && file !== agentFile) rmSync(path.join(bundles, file), { force: true });
  }
}

export function readParts(): InstallerParts {
  const read = (file: string) => readFileSync(path.join(sources, file), "utf8");
  const script = SCRIPT.map((name) => read(`script/${name}.sh`));
  return {
    script,
    files: {
      SYSTEMD_UNIT: read("becket.service"),
      SYSTEMD_UPGRADE_UNIT: read("becket-upgrade.service"),
      SYSTEMD_UPGRADE_PATH: read("becket-upgrade.path"),
      OPENRC_SERVICE: read("becket.openrc"),
      OPENRC_SUPERVISED: read("supervised.sh"),
    },
  };
}

export const readNodeBuilds = (): NodeBuilds =>
  JSON.parse(readFileSync(path.join(sources, "node-builds.json"), "utf8")) as NodeBuilds;

/** Several control planes may start at once on one checkout: each file is whole at any time. */
function replaceFile(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, text, "latin1");
  renameSync(draft, file);
}
