// How an Internet gateway device is searched (UPnP Device Architecture 1.1 section 1.3) and what it answers. Pure.
import { Ipv4 } from "#schema/address";

export const SSDP_PORT = 1900;
export const SSDP_GROUP = "239.255.255.250";

/** Devices of version 2 answer to a search for version 1 too (section 1.3.2). */
const TARGET = "urn:schemas-upnp-org:device:InternetGatewayDevice:1";

export function renderSearch(): Buffer {
  const lines = [
    "M-SEARCH * HTTP/1.1",
    `HOST: ${SSDP_GROUP}:${SSDP_PORT}`,
    'MAN: "ssdp:discover"',
    "MX: 1",
    `ST: ${TARGET}`,
  ];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`);
}

/** Where the router describes itself. Null: no answer to the search, or one that leads elsewhere than to the router. */
export function parseSearchReply(packet: Buffer, routerAddress: string): URL | null {
  const [status = "", ...lines] = packet.toString("latin1").split(/\r?\n/);
  if (!/^HTTP\/1\.[01] 200 /.test(status)) return null;
  const target = readHeader(lines, "st");
  const location = readHeader(lines, "location");
  if (target !== TARGET || location === null) return null;
  return toRouterUrl(location, routerAddress);
}

function readHeader(lines: readonly string[], name: string): string | null {
  const line = lines.find((one) => one.toLowerCase().startsWith(`${name}:`));
  return line === undefined ? null : line.slice(name.length + 1).trim();
}

/**
 * Whoever is on the same network can answer a search, and the answer names the URL that this machine, as root, is to call: only URLs
 * of the router itself are good.
 */
export function toRouterUrl(text: string, routerAddress: string, base?: URL): URL | null {
  // URL.parse came with Node 22.
  if (!URL.canParse(text, base?.href)) return null;
  const url = new URL(text, base);
  const isRouter = url.protocol === "http:" && url.hostname === routerAddress && Ipv4.safeParse(url.hostname).success;
  return isRouter && url.username === "" && url.password === "" ? url : null;
}
