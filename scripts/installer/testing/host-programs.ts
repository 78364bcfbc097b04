// Programs of the host that these tests use, by their paths.
import { existsSync } from "node:fs";
import path from "node:path";

export const hasProgram = (name: string): boolean => findProgram(name) !== undefined;

export function toPath(name: string): string {
  const found = findProgram(name);
  if (found === undefined) throw new Error(`the tests of install.sh need ${name}`);
  return found;
}

const findProgram = (name: string): string | undefined =>
  ["/usr/bin", "/bin", "/usr/sbin", "/sbin"].map((folder) => path.join(folder, name)).find((file) => existsSync(file));
