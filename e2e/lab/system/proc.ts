// What /proc tells about processes. Synchronous, so that an exit handler can use it too.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Every process of a lab has this variable, or a mount below the lab's folder, or both. */
export const LAB_VARIABLE = "BECKET_LAB";

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from boot to the process's start: with it, a pid that was given anew is not taken for the old one. */
  readonly startTime: string;
}

/** null when there is no such process. */
export function readIdentity(pid: number): ProcessIdentity | null {
  const stat = readText(pid, "stat");
  // The second field is the name in parentheses and may hold anything; `starttime` is the 22nd (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, startTime] = [fields[0], fields[19]];
  if (startTime === undefined || state === "Z" || state === "X") return null;
  return { pid, startTime };
}

export function isAlive(identity: ProcessIdentity): boolean {
  return readIdentity(identity.pid)?.startTime === identity.startTime;
}

/**
 * Processes that belong to a lab: started by it, or below its mounts, or in a network with such a one. Never this process,
 * and nothing for its network alone when that network is this process's or the host's.
 */
export function findLabProcesses(labId: string, folder: string): number[] {
  const variable = `${LAB_VARIABLE}=${labId}`;
  // In mountinfo a bind mount's source is relative to its file system: /run may be one of its own.
  const mounted = `${folder.replace(/^\/run/, "")}/`;
  const ownMounts = readText(process.pid, "mountinfo");
  const isMarked = (pid: number) => {
    if (readText(pid, "environ").split("\0").includes(variable)) return true;
    const mounts = readText(pid, "mountinfo");
    return mounts !== ownMounts && mounts.includes(mounted);
  };
  const pids = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid);
  const marked = new Set(pids.filter(isMarked));
  const networks = new Set([...marked].map(readNetwork));
  for (const outside of ["", readNetwork(process.pid), readNetwork(1)]) networks.delete(outside);
  return pids.filter((pid) => marked.has(pid) || networks.has(readNetwork(pid)));
}

/** Processes of the same network as this one, without it: what runs in a node beside the holder of its namespaces. */
export function listNeighbours(pid: number): number[] {
  const network = readNetwork(pid);
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((other) => other !== pid && readNetwork(other) === network);
}

/** Kills until none is left; a process may be starting another one meanwhile. Throws when one outlives SIGKILL for 5 s. */
export function killLabProcesses(labId: string, folder: string): void {
  const deadline = performance.now() + 5_000;
  for (;;) {
    const pids = findLabProcesses(labId, folder);
    if (pids.length === 0) return;
    if (performance.now() > deadline) throw new Error(`lab ${labId}: processes outlive SIGKILL: ${pids.join(", ")}`);
    for (const pid of pids) killQuietly(pid);
    pause(2);
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself between the look and the kill.
  }
}

function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** Like `net:[4026531840]`; empty when the process is gone or must not be looked at. */
function readNetwork(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return "";
  }
}

/** Empty when the process is gone, is a kernel thread, or must not be read. */
function readText(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return "";
  }
}
