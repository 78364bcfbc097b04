// Prefixes that members announce: IPv4 and IPv6 networks, canonical text, host bits zero.
import ipaddr from "ipaddr.js";
import { z } from "zod";
import { Ipv4Cidr, Ipv6Cidr, isInside } from "./address.ts";

const prefixText = z
  .string()
  .max(64)
  .superRefine((text, context) => {
    const isPrefix = (isIpv6Prefix(text) ? Ipv6Cidr : Ipv4Cidr).safeParse(text).success;
    // What is no prefix is looked at no further.
    if (!isPrefix) context.addIssue({ code: "custom", message: toFault(text), continue: false });
  })
  .meta({
    description: "An IPv4 or IPv6 network; its host bits are zero, IPv6 is written as in RFC 5952.",
    examples: ["192.168.7.0/24"],
  });
// The text as it is, with the brands of what it was checked for. A transform would have no JSON Schema where a query is described.
export const Prefix = prefixText as unknown as z.ZodType<Ipv4Cidr | Ipv6Cidr, string>;
export type Prefix = z.output<typeof Prefix>;

/** What no network behind a machine has. */
const SPECIAL_NETWORKS: readonly { readonly network: string; readonly what: string }[] = [
  { network: "0.0.0.0/8", what: "of this host (0.0.0.0/8)" },
  { network: "127.0.0.0/8", what: "loopback" },
  { network: "169.254.0.0/16", what: "link-local" },
  { network: "224.0.0.0/3", what: "multicast or reserved" },
  { network: "::/127", what: "unspecified or loopback" },
  { network: "::ffff:0:0/96", what: "IPv4 in IPv6" },
  { network: "fe80::/10", what: "link-local" },
  { network: "ff00::/8", what: "multicast" },
];

/** A prefix that a route may have, as far as it can be told without its mesh. */
export const RoutePrefix = Prefix.superRefine((prefix, context) => {
  const special = SPECIAL_NETWORKS.find(({ network }) => isWithin(prefix, network));
  if (special === undefined) return;
  context.addIssue({ code: "custom", message: `must not be ${special.what}: such addresses are not routed` });
});

/** The shortest that is no default route. IPv6 below this holds the whole of fc00::/7, or of the public addresses, or more. */
export const [SHORTEST_IPV4, SHORTEST_IPV6] = [8, 7];

/** The default route, or a part of it so large that it is meant as one: 0.0.0.0/1 and 128.0.0.0/1, 2000::/3. */
export const isDefaultRoute = (prefix: string): boolean =>
  toPrefixLength(prefix) < (isIpv6Prefix(prefix) ? SHORTEST_IPV6 : SHORTEST_IPV4);

export const isIpv6Prefix = (prefix: string): boolean => prefix.includes(":");

/** True when all of `inner` is in `outer`; both canonical. */
export const isWithin = (inner: string, outer: string): boolean =>
  toPrefixLength(inner) >= toPrefixLength(outer) && isInside(toBase(inner), outer);

/** True when one of the two canonical networks contains the other. */
export const isPrefixOverlapping = (one: string, other: string): boolean =>
  isWithin(one, other) || isWithin(other, one);

const toBase = (prefix: string): string => prefix.split("/")[0] ?? "";
export const toPrefixLength = (prefix: string): number => Number(prefix.split("/")[1]);

function toFault(text: string): string {
  const meant = toMeant(text);
  return meant === null
    ? "must be a network like 192.168.7.0/24 or fd00:7::/64"
    : `must be a network without host bits, as ${meant} is`;
}

/** The network that an address, or a network with host bits or of another spelling, is in. Null: it is nothing of that. */
function toMeant(text: string): string | null {
  const [address = "", given, ...more] = text.split("/");
  const isIpv6 = address.includes(":");
  const length = given ?? (isIpv6 ? "128" : "32");
  if (more.length > 0 || !/^\d{1,3}$/.test(length) || Number(length) > (isIpv6 ? 128 : 32)) return null;
  const network = `${address}/${Number(length)}`;
  if (!isIpv6) {
    if (!ipaddr.IPv4.isValidFourPartDecimal(address)) return null;
    return `${ipaddr.IPv4.networkAddressFromCIDR(network).toString()}/${Number(length)}`;
  }
  if (!ipaddr.IPv6.isValid(address) || address.includes("%")) return null;
  return `${ipaddr.IPv6.networkAddressFromCIDR(network).toRFC5952String()}/${Number(length)}`;
}
