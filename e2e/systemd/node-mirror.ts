// A mirror of nodejs.org inside the lab, with one build: this process's own Node.js, packed as the official ones are.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Lab } from "../lab/lab.ts";
import { run } from "../lab/system/exec.ts";

const PORT = 8090;

/** What install.sh is told to find it. */
export async function startNodeMirror(lab: Lab): Promise<Readonly<Record<string, string>>> {
  const { version, arch } = process;
  const folder = path.join(lab.folder, "mirror");
  const name = `node-${version}-linux-${arch}`;
  mkdirSync(path.join(folder, name, "bin"), { recursive: true });
  mkdirSync(path.join(folder, version));
  copyFileSync(realpathSync(process.execPath), path.join(folder, name, "bin/node"));
  writeFileSync(path.join(folder, name, "LICENSE"), "see https://github.com/nodejs/node/blob/main/LICENSE\n");
  const archive = path.join(folder, version, `${name}.tar.gz`);
  await run(["tar", "--use-compress-program=gzip -1", "-cf", archive, "-C", folder, name]);
  await lab.control.spawn([process.execPath, path.join(import.meta.dirname, "serve-folder.ts"), folder, String(PORT)]);
  return {
    BECKET_NODE_MIRROR: `http://${lab.control.ipv4}:${PORT}`,
    BECKET_NODE_VERSION: version.slice(1),
    BECKET_NODE_SHA256: createHash("sha256").update(readFileSync(archive)).digest("hex"),
  };
}
