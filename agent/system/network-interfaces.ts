// The addresses that the machine has right now, without starting a program (getifaddrs).
import { networkInterfaces } from "node:os";

/** Interface and address with its prefix length, one line each, sorted. */
export function listInterfaceAddresses(): string[] {
  return Object.entries(networkInterfaces())
    .flatMap(([name, addresses = []]) => addresses.map(({ cidr, address }) => `${name} ${cidr ?? address}`))
    .sort();
}

export function hasLocalAddress(address: string): boolean {
  return Object.values(networkInterfaces()).some((addresses = []) => addresses.some((one) => one.address === address));
}
