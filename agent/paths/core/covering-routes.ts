// Which of the networks that are routed into our tunnels contain an endpoint. There may be ten thousand networks, so none is compared with
// each: an address is cut to each length that there is, and looked for. Pure.
import ipaddr from "ipaddr.js";
import { type Endpoint, parseEndpoint } from "#schema/address";

/** Of each endpoint the longest prefix around it, as prefixes are written: each once, in order. */
export function toCoveringRoutes(endpoints: Iterable<Endpoint>, prefixes: readonly string[]): string[] {
  if (prefixes.length === 0) return [];
  const known = new Set(prefixes);
  const lengths = { ipv4: toLengths(prefixes, false), ipv6: toLengths(prefixes, true) };
  const addresses = new Set([...endpoints].flatMap((endpoint) => parseEndpoint(endpoint)?.address ?? []));
  const covering = [...addresses].flatMap((address) => {
    const parsed = ipaddr.parse(address);
    const found = lengths[parsed.kind()].map((length) => cut(parsed, length)).find((prefix) => known.has(prefix));
    return found ?? [];
  });
  return [...new Set(covering)].sort();
}

/** The longest first. */
function toLengths(prefixes: readonly string[], isIpv6: boolean): number[] {
  const ofFamily = prefixes.filter((prefix) => prefix.includes(":") === isIpv6);
  return [...new Set(ofFamily.map((prefix) => Number(prefix.slice(prefix.indexOf("/") + 1))))].sort((a, b) => b - a);
}

/** Of thousands of addresses: by hand, as parsing a CIDR takes ten times as long. */
function cut(address: ReturnType<typeof ipaddr.parse>, length: number): string {
  const bytes = address
    .toByteArray()
    .map((byte, index) => byte & (0xff00 >> Math.min(8, Math.max(0, length - index * 8))));
  const text = bytes.length === 4 ? bytes.join(".") : new ipaddr.IPv6(bytes).toRFC5952String();
  return `${text}/${length}`;
}
