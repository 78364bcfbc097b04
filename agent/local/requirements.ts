// What the agent needs of the machine before it can do anything, and how to get it.
import type { Exec } from "../system/exec.ts";
import { isCommandError } from "../system/exec.ts";
import type { WireGuard } from "../wireguard/wireguard.ts";
import { CommandFailure, EXIT_CODES } from "./exit-codes.ts";

export function requireRoot(isRoot: boolean, what: string): void {
  if (isRoot) return;
  throw new CommandFailure(
    EXIT_CODES.requirementMissing,
    `${what} needs root: it changes network interfaces. Run it with sudo.`,
  );
}

/** Answers where WireGuard runs on this machine. */
export async function requirePrograms(
  exec: Exec,
  wireguard: WireGuard,
  pid: number,
): Promise<"kernel" | "wireguard-go"> {
  const backend = await detectBackend(wireguard, pid);
  // Only then it is known that `ip` runs. A wireguard-go is asked without `wg`.
  const [hasIp, hasWg] = await Promise.all([
    backend === "kernel" || backend === "wireguard-go" || canRun(exec, "ip", "-V"),
    backend === "wireguard-go" || canRun(exec, "wg", "--version"),
  ]);
  const missing = [hasIp ? null : "`ip` (package iproute2)", hasWg ? null : "`wg` (package wireguard-tools)"];
  const names = missing.filter((name) => name !== null);
  if (names.length > 0) {
    const message = `Missing: ${names.join(" and ")}. On Debian and Ubuntu: apt-get install iproute2 wireguard-tools`;
    throw new CommandFailure(EXIT_CODES.requirementMissing, message);
  }
  if (typeof backend === "object") {
    const message = `Whether this kernel has WireGuard could not be found out: ${backend.problem}`;
    throw new CommandFailure(EXIT_CODES.requirementMissing, message);
  }
  if (backend === "not_permitted") {
    const message =
      "This process may not make network interfaces, though it is root: give the container or service CAP_NET_ADMIN and /dev/net/tun.";
    throw new CommandFailure(EXIT_CODES.requirementMissing, message);
  }
  if (backend !== "missing") return backend;
  const message =
    "This kernel has no WireGuard, and `wireguard-go` is not installed either. On Debian and Ubuntu: apt-get install wireguard-go";
  throw new CommandFailure(EXIT_CODES.requirementMissing, message);
}

async function detectBackend(wireguard: WireGuard, pid: number) {
  try {
    return await wireguard.detectBackend(pid);
  } catch (error) {
    if (!isCommandError(error)) throw error;
    if (/not permitted/.test(error.stderrTail)) return "not_permitted";
    // Without an exit code: `ip` itself is missing, which is said already.
    return error.exitCode === null && !error.timedOut ? "missing" : { problem: error.message };
  }
}

async function canRun(exec: Exec, program: string, argument: string): Promise<boolean> {
  try {
    await exec.run([program, argument]);
    return true;
  } catch (error) {
    // A program that is there and fails is found out when it is used.
    if (isCommandError(error)) return error.exitCode !== null;
    throw error;
  }
}
