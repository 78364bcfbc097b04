// Reads the system into an ObservedState. Looks into WireGuard only through `bkt-` interfaces: the dump of another one would bring
// somebody else's private key into this process.
import { INTERFACE_PREFIX } from "../net/interface-name.ts";
import type { Ip } from "../net/ip.ts";
import type { Link } from "../net/parse-ip.ts";
import { isCommandError } from "../system/exec.ts";
import { isParseError } from "../system/parse-error.ts";
import type { WireGuard } from "../wireguard/wireguard.ts";
import type { ObservedLink, ObservedState } from "./observed-state.ts";

export async function readObservedState(ip: Ip, wireguard: WireGuard): Promise<ObservedState> {
  const { links, routes } = await ip.read();
  return { links: await Promise.all(links.map((link) => readLink(link, wireguard))), routes };
}

async function readLink(link: Link, wireguard: WireGuard): Promise<ObservedLink> {
  if (!link.name.startsWith(INTERFACE_PREFIX)) return { ...link, wireguard: { state: "absent" } };
  try {
    const device = await wireguard.readDevice(link.name);
    return { ...link, wireguard: device === null ? { state: "absent" } : { state: "present", device } };
  } catch (error) {
    // One interface that does not answer must not hide the others.
    if (!isCommandError(error) && !isParseError(error)) throw error;
    return { ...link, wireguard: { state: "unreadable", problem: error.message } };
  }
}
