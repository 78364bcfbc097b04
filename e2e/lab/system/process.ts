// A long-running program inside a node, its output in a file.
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { toolEnvironment } from "./exec.ts";

export interface ProcessEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface LabProcess {
  readonly pid: number;
  /** Its standard output and error, as a path on the host. */
  readonly logFile: string;
  readonly exited: Promise<ProcessEnd>;
  isRunning(): boolean;
  /** Sends the signal to this process alone; daemons that it started live on. */
  kill(signal: NodeJS.Signals): Promise<ProcessEnd>;
  /** SIGTERM, and SIGKILL after `graceMs` (default 5,000). */
  stop(options?: { graceMs?: number }): Promise<ProcessEnd>;
}

export interface StartOptions {
  readonly argv: readonly string[];
  readonly logFile: string;
  readonly env: Readonly<Record<string, string>>;
}

export function startProcess({ argv, logFile, env }: StartOptions): Promise<LabProcess> {
  const [file = "", ...args] = argv;
  const log = openSync(logFile, "a");
  // A session of its own: Ctrl-C in the owner's terminal is the owner's, who stops things in order.
  const child = spawn(file, args, { detached: true, stdio: ["ignore", log, log], env: toolEnvironment(env) });
  closeSync(log);
  let end: ProcessEnd | null = null;
  const exited = new Promise<ProcessEnd>((resolve) => {
    child.once("exit", (exitCode, signal) => {
      end = { exitCode, signal };
      resolve(end);
    });
  });
  const kill = (signal: NodeJS.Signals) => {
    if (end === null) child.kill(signal);
    return exited;
  };
  const stop = async ({ graceMs = 5_000 } = {}) => {
    const timer = new AbortController();
    kill("SIGTERM");
    const killLate = delay(graceMs, null, { signal: timer.signal }).then(
      () => kill("SIGKILL"),
      () => exited,
    );
    await Promise.race([exited, killLate]);
    timer.abort();
    return exited;
  };
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("spawn", () => {
      resolve({ pid: child.pid ?? 0, logFile, exited, isRunning: () => end === null, kill, stop });
    });
  });
}
