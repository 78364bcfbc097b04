// Makes a desired device one that WireGuard can be brought to. Conflicts are decided once, here: otherwise two peers that claim one
// address would take it from each other in every round, and the plan would never be empty. Pure.
import type { WireGuardPublicKey } from "#schema/ids";
import type { DesiredDevice, DesiredPeer } from "./desired-device.ts";

/** The first peer keeps a key or an allowed IP that several claim. Our own key is no peer's: WireGuard leaves such a peer out. */
export function normaliseDevice(device: DesiredDevice): DesiredDevice {
  const takenIps = new Set<string>();
  const peers = new Map<WireGuardPublicKey, DesiredPeer>();
  for (const peer of device.peers) {
    if (peer.publicKey === device.publicKey || peers.has(peer.publicKey)) continue;
    const allowedIps = peer.allowedIps.filter((network) => !takenIps.has(network));
    for (const network of allowedIps) takenIps.add(network);
    peers.set(peer.publicKey, { ...peer, allowedIps });
  }
  return { ...device, peers: [...peers.values()] };
}
