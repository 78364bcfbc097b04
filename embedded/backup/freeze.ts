// Stops this process's runtime for a moment. What its files hold then is what they would hold had it been killed at that instant, all of them at
// the same one: SQLite recovers each from that, and no file is ahead of another.
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { BackupError } from "./backup-error.ts";

/** A thread that is writing stops when its write is done. */
const STOP_LIMIT_MS = 5_000;

/** Runs `work` while the runtime does nothing, and wakes it again whatever happens. Should this process die meanwhile, the runtime dies too (workerd.sh). */
export async function whileFrozen<T>(work: () => T): Promise<T> {
  const runtimes = listRuntimes();
  if (runtimes.length === 0) throw new BackupError("the control plane's runtime is not found in /proc");
  try {
    for (const pid of runtimes) process.kill(pid, "SIGSTOP");
    await untilStopped(runtimes);
    return work();
  } finally {
    for (const pid of runtimes) resume(pid);
  }
}

function listRuntimes(): number[] {
  const children = readdirSync("/proc/self/task").flatMap((thread) =>
    readFileSync(`/proc/self/task/${thread}/children`, "utf8").split(" ").filter(Boolean),
  );
  return children.map(Number).filter((pid) => read(`/proc/${pid}/comm`)?.trim() === "workerd");
}

async function untilStopped(pids: readonly number[]): Promise<void> {
  const deadline = performance.now() + STOP_LIMIT_MS;
  while (!pids.every(isStopped)) {
    if (performance.now() > deadline) throw new BackupError("the control plane's runtime did not stop for the copy");
    await delay(1);
  }
}

/** All its threads: one that was in the middle of a write may still be. */
const isStopped = (pid: number): boolean =>
  readdirSync(`/proc/${pid}/task`).every((thread) => {
    const stat = read(`/proc/${pid}/task/${thread}/stat`);
    // The state follows the name, which is in parentheses and may hold any character. A thread that is gone writes nothing.
    return stat === null || stat.slice(stat.lastIndexOf(")") + 2).startsWith("T");
  });

function resume(pid: number): void {
  try {
    process.kill(pid, "SIGCONT");
  } catch {
    // It was killed meanwhile.
  }
}

function read(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}
