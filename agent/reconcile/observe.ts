// Reads the system into an ObservedState. Looks into WireGuard only through `bkt-` interfaces: the dump of another one would bring
// somebody else's private key into this process.
import { INTERFACE_PREFIX } from "../net/interface-name.ts";
import type { Ip } from "../net/ip.ts";
import type { Link } from "../net/parse-ip.ts";
import { isCommandError } from "../system/exec.ts";
import type { Files } from "../system/files.ts";
import { isParseError } from "../system/parse-error.ts";
import type { WireGuard } from "../wireguard/wireguard.ts";
import type { ObservedLink, ObservedState } from "./observed-state.ts";

export interface Eyes {
  readonly ip: Ip;
  readonly wireguard: WireGuard;
  readonly files: Pick<Files, "read">;
}

export async function readObservedState({ ip, wireguard, files }: Eyes): Promise<ObservedState> {
  const { links, routes } = await ip.read();
  const read = async (link: Link): Promise<ObservedLink> => {
    if (!link.name.startsWith(INTERFACE_PREFIX))
      return { ...link, isForwarding: false, wireguard: { state: "absent" } };
    const [forwarding, observed] = await Promise.all([
      files.read(`/proc/sys/net/ipv4/conf/${link.name}/forwarding`),
      readWireGuard(link, wireguard),
    ]);
    return { ...link, isForwarding: forwarding?.trim() === "1", wireguard: observed };
  };
  return { links: await Promise.all(links.map(read)), routes };
}

async function readWireGuard(link: Link, wireguard: WireGuard): Promise<ObservedLink["wireguard"]> {
  try {
    const device = await wireguard.readDevice(link.name);
    return device === null ? { state: "absent" } : { state: "present", device };
  } catch (error) {
    // One interface that does not answer must not hide the others.
    if (!isCommandError(error) && !isParseError(error)) throw error;
    return { state: "unreadable", problem: error.message };
  }
}
