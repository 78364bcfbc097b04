// Runs an installer: no questions, its output on stderr (stdout belongs to the command that the person asked for).
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

/**
 * @param {string[]} argv
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 */
export async function runInstaller([file = "", ...args], options = {}) {
  const child = spawn(file, args, { ...options, stdio: ["ignore", 2, 2] });
  const [code, signal] = await once(child, "exit");
  if (code !== 0) throw new Error(`${[file, ...args].join(" ")} failed (${signal ?? `exit code ${code}`}), see above`);
}

/** PATH without node_modules/.bin: npm must not run on the Node that it is about to replace. */
export function installPath() {
  const folders = (process.env.PATH ?? "").split(path.delimiter);
  return folders.filter((folder) => !folder.endsWith(path.join("node_modules", ".bin"))).join(path.delimiter);
}
