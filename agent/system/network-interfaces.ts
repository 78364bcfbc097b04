// The addresses that the machine has right now, without starting a program (getifaddrs).
import { networkInterfaces } from "node:os";

/** Changes exactly when an address, its prefix length or its interface does, but for interfaces with the prefix. */
export function readNetworkFingerprint(ignoredPrefix: string): string {
  return Object.entries(networkInterfaces())
    .filter(([name]) => !name.startsWith(ignoredPrefix))
    .flatMap(([name, addresses = []]) => addresses.map(({ cidr, address }) => `${name} ${cidr ?? address}`))
    .sort()
    .join("\n");
}

export function hasLocalAddress(address: string): boolean {
  return Object.values(networkInterfaces()).some((addresses = []) => addresses.some((one) => one.address === address));
}
