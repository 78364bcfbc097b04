// What is done to the files of a machine for install.sh.
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";

/** Has a program, a stub or the host's own, do something first. */
export function wrapProgram(root: string, name: string, script: string): void {
  const stub = path.join(root, "stubs", name);
  const wrapped = path.join(root, "wrapped", name);
  mkdirSync(path.dirname(wrapped), { recursive: true });
  renameSync(existsSync(stub) ? stub : path.join(root, "tools", name), wrapped);
  writeFileSync(stub, `#!/bin/sh\n${script}\nexec "$STUB_ROOT/wrapped/${name}" "$@"\n`);
  chmodSync(stub, 0o755);
}

/** Files that the script may have made: not those of packages, and not the stubs' own. */
export const listMadeFiles = (root: string): string[] =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .filter((file) => /^(?:etc|run|usr\/local|var)\//.test(file))
    .sort();
