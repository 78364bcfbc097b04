// What WireGuard itself says on a machine: the lab's own eyes, independent of the agent's.
import { readdir, readFile, readlink } from "node:fs/promises";
import type { LabNode } from "../lab/node.ts";

export interface Tunnel {
  readonly interfaceName: string;
  readonly publicKey: string;
  readonly endpoint: string | null;
  readonly allowedIps: readonly string[];
  /** Unix seconds; 0 when there was none. */
  readonly latestHandshake: number;
}

/** Every peer of every interface (`wg show all dump`, wg(8)). */
export async function readTunnels(machine: LabNode): Promise<Tunnel[]> {
  const { stdout } = await machine.exec(["wg", "show", "all", "dump"]);
  return stdout
    .split("\n")
    .map((line) => line.split("\t"))
    .filter((fields) => fields.length === 9)
    .map(([interfaceName = "", publicKey = "", , endpoint = "", allowedIps = "", latestHandshake = "0"]) => ({
      interfaceName,
      publicKey,
      endpoint: endpoint === "(none)" ? null : endpoint,
      allowedIps: allowedIps === "(none)" ? [] : allowedIps.split(",").sort(),
      latestHandshake: Number(latestHandshake),
    }));
}

/** Pids of the userspace WireGuard processes of this machine; none where the kernel has WireGuard. */
export const readWireguardProcesses = (machine: LabNode): Promise<string[]> => readProcesses(machine, "wireguard-go");

/** Pids of the programs of this name (proc(5), `comm`) that run in this machine. */
export async function readProcesses(machine: LabNode, program: string): Promise<string[]> {
  const own = await machine.exec(["readlink", "/proc/self/ns/net"]);
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      try {
        const name = await readFile(`/proc/${pid}/comm`, "utf8");
        const namespace = await readlink(`/proc/${pid}/ns/net`);
        return name.trim() === program && namespace === own.stdout.trim() ? [pid] : [];
      } catch {
        return []; // it ended while we looked
      }
    }),
  );
  return found.flat().sort();
}
