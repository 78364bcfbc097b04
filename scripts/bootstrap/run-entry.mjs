// Runs a TypeScript entry with the repository's own Node and stands in for it.
import { spawn } from "node:child_process";
import { constants } from "node:os";
import path from "node:path";
import { installPath } from "./installer.mjs";

const FORWARDED = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);

/** @param {{ root: string, entry: string, args: string[] }} command */
export function runEntry({ root, entry, args }) {
  const bin = path.join(root, "node_modules/.bin");
  const child = spawn(path.join(bin, "node"), [path.resolve(root, entry), ...args], {
    stdio: "inherit",
    env: { ...process.env, PATH: `${bin}${path.delimiter}${installPath()}` },
  });
  const isTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  for (const signal of FORWARDED) {
    process.on(signal, () => {
      // Ctrl-C in a terminal reaches the whole process group, the child too. A second SIGINT would cut its clean-up short.
      if (signal === "SIGINT" && isTerminal) return;
      child.kill(signal);
    });
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      process.exitCode = code ?? 128 + constants.signals[signal ?? "SIGKILL"];
      for (const forwarded of FORWARDED) process.removeAllListeners(forwarded);
      resolve(undefined);
    });
  });
}
