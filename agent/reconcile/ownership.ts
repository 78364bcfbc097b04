// Which interfaces are ours to change and to remove; every other one is never touched. Pure.
import type { MeshId } from "#schema/ids";
import { INTERFACE_PREFIX, parseAlias } from "../net/interface-name.ts";
import type { ObservedLink } from "./observed-state.ts";

/** Has our mark, or would have got it had we not been interrupted. */
export function isOurs(link: ObservedLink): boolean {
  return ownerOf(link) !== null || isBlank(link);
}

/** The mesh that this interface was made for; null: it is not ours, or blank. */
export function ownerOf(link: ObservedLink): MeshId | null {
  return link.name.startsWith(INTERFACE_PREFIX) ? parseAlias(link.alias) : null;
}

/** A WireGuard device with our prefix and nothing in it: an agent was killed between making and marking it. */
export function isBlank(link: ObservedLink): boolean {
  if (!link.name.startsWith(INTERFACE_PREFIX) || link.alias !== null || link.wireguard.state !== "present")
    return false;
  const { publicKey, peers } = link.wireguard.device;
  return publicKey === null && peers.length === 0 && link.addresses.every(({ scope }) => scope !== "global");
}
