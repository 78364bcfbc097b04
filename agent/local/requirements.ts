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

export async function requirePrograms(exec: Exec, wireguard: WireGuard): Promise<void> {
  const missing = [
    (await canRun(exec, "ip", "-V")) ? null : "`ip` (package iproute2)",
    (await canRun(exec, "wg", "--version")) ? null : "`wg` (package wireguard-tools)",
  ].filter((name) => name !== null);
  if (missing.length > 0) {
    const message = `Missing: ${missing.join(" and ")}. On Debian and Ubuntu: apt-get install iproute2 wireguard-tools`;
    throw new CommandFailure(EXIT_CODES.requirementMissing, message);
  }
  if ((await wireguard.detectBackend()) !== "missing") return;
  const message =
    "This kernel has no WireGuard, and `wireguard-go` is not installed either. On Debian and Ubuntu: apt-get install wireguard-go";
  throw new CommandFailure(EXIT_CODES.requirementMissing, message);
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
