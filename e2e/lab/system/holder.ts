// A namespace set of one node (network, mounts, host name) and the sleeping process that keeps it. Nothing is bound into
// the host's file tree: when the last process inside is gone, the kernel takes down interfaces, routes and mounts.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { toolEnvironment } from "./exec.ts";
import { LAB_VARIABLE } from "./proc.ts";

const START_WITHIN_MS = 5_000;

/** The holder's pid, once its namespaces exist. It outlives this process, and a Ctrl-C in the terminal. */
export async function startHolder(labId: string): Promise<number> {
  const child = spawn("unshare", ["--net", "--mount", "--uts", "sleep", "infinity"], {
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
    env: toolEnvironment({ [LAB_VARIABLE]: labId }),
  });
  let failure = "";
  child.once("error", (error) => {
    failure = error.message;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    failure += text;
  });
  const deadline = performance.now() + START_WITHIN_MS;
  // unshare becomes sleep when the namespaces are made.
  while (child.pid === undefined || readCommand(child.pid) !== "sleep") {
    if (child.exitCode !== null || child.pid === undefined || performance.now() > deadline) {
      await delay(10);
      throw new Error(`can't make namespaces: ${failure.trim() || `unshare ended with ${child.exitCode}`}`);
    }
    await delay(1);
  }
  child.stderr.destroy();
  child.unref();
  return child.pid;
}

/** The argv that runs `argv` inside the namespaces that `pid` holds. `--root`: entering mounts would leave a chroot. */
export function enterArgv(pid: number, argv: readonly string[]): string[] {
  return ["nsenter", `--target=${pid}`, "--net", "--mount", "--uts", "--root", "--", ...argv];
}

function readCommand(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return ""; // It is gone; the caller's exit code check says so.
  }
}
