// The kernel's IPv4 routes and addresses, without starting a program.
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";

/** The text of /proc/net/route: the main table. Empty where there is none. */
export function readRouteTable(): string {
  try {
    return readFileSync("/proc/net/route", "utf8");
  } catch {
    return "";
  }
}

/** IPv4 addresses with their prefix lengths, by interface, without loopback. */
export function readInterfaceAddresses(): { interfaceName: string; cidr: string }[] {
  return Object.entries(networkInterfaces()).flatMap(([interfaceName, addresses = []]) =>
    addresses
      .filter(({ family, internal, cidr }) => family === "IPv4" && !internal && cidr !== null)
      .map(({ cidr }) => ({ interfaceName, cidr: cidr ?? "" })),
  );
}
