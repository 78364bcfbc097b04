// Which router this machine's IPv4 default route goes through. Pure.
import { Ipv4, parseIpv4Cidr, renderIpv4, toIpv4Number } from "#schema/address";
import { INTERFACE_PREFIX } from "../interface-name.ts";
import type { Router } from "./mapping-protocol.ts";

export interface InterfaceAddress {
  readonly interfaceName: string;
  /** IPv4, with its prefix length: 192.168.1.7/24. */
  readonly cidr: string;
}

const FLAG_UP = 1;
const FLAG_GATEWAY = 2;

/**
 * Of the text of /proc/net/route (proc_net(5)), whose numbers are hexadecimal in this machine's byte order, which is little endian wherever
 * Becket runs. Our own interfaces lead to no router.
 */
export function chooseRouter(routeTable: string, addresses: readonly InterfaceAddress[]): Router | null {
  const routes = routeTable
    .split("\n")
    .slice(1)
    .map((line) => line.split(/\s+/))
    .filter(([name = "", destination, , flags = "", , , , mask]) => {
      const isThroughRouter = (Number.parseInt(flags, 16) & (FLAG_UP | FLAG_GATEWAY)) === (FLAG_UP | FLAG_GATEWAY);
      return isThroughRouter && destination === "00000000" && mask === "00000000" && !name.startsWith(INTERFACE_PREFIX);
    })
    .map(([interfaceName, , gateway = "", , , , metric]) => ({ interfaceName, gateway, metric: Number(metric) }))
    .sort((a, b) => a.metric - b.metric);
  for (const { interfaceName, gateway } of routes) {
    const address = toAddress(gateway);
    const own = addresses.filter((one) => one.interfaceName === interfaceName);
    const local = own.find(({ cidr }) => address !== null && contains(cidr, address)) ?? own[0];
    if (address !== null && local !== undefined) return { address, localAddress: toHost(local.cidr) };
  }
  return null;
}

function toAddress(hex: string): Ipv4 | null {
  if (!/^[0-9A-F]{8}$/i.test(hex)) return null;
  return renderIpv4(Buffer.from(hex, "hex").readUInt32LE(0));
}

const toHost = (cidr: string): string => cidr.split("/")[0] ?? "";

function contains(cidr: string, address: Ipv4): boolean {
  const [host = "", length = ""] = cidr.split("/");
  if (!Ipv4.safeParse(host).success) return false;
  const size = 2 ** (32 - Number(length));
  const first = Math.floor(toIpv4Number(host) / size) * size;
  const range = parseIpv4Cidr(`${renderIpv4(first)}/${length}`);
  const number = toIpv4Number(address);
  return range !== null && number >= range.first && number <= range.last;
}
