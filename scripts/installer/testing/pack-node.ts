// A build of Node.js as nodejs.org has them, around the stub.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

interface NodeBuild {
  readonly version: string;
  readonly architecture: string;
  readonly program: string;
}

/** @returns the archive, in `folder`/dist */
export function packNode(folder: string, { version, architecture, program }: NodeBuild): string {
  const name = `node-v${version}-linux-${architecture}`;
  const archive = path.join(folder, "dist", `v${version}`, `${name}.tar.gz`);
  mkdirSync(path.join(folder, name, "bin"), { recursive: true });
  mkdirSync(path.dirname(archive), { recursive: true });
  cpSync(program, path.join(folder, name, "bin/node"));
  writeFileSync(path.join(folder, name, "LICENSE"), "free\n");
  spawnSync("tar", ["-czf", archive, "-C", folder, name]);
  rmSync(path.join(folder, name), { recursive: true });
  return archive;
}
