// What `ip -json` says of links, addresses and routes (iproute2 5.10 and later), parsed into plain values.
import ipaddr from "ipaddr.js";
import { z } from "zod";
import { ParseError } from "../system/parse-error.ts";
import { isOurMetric } from "./kernel-metric.ts";

export interface Link {
  readonly name: string;
  /** What kind of virtual link, like `bridge`, `tun`, `wireguard`; null for hardware. */
  readonly kind: string | null;
  readonly alias: string | null;
  readonly isUp: boolean;
  readonly isLoopback: boolean;
  readonly mtuBytes: number;
  readonly addresses: readonly LinkAddress[];
}

export interface LinkAddress {
  readonly address: string;
  readonly prefixLength: number;
  /** `global`, `link` or `host`. */
  readonly scope: string;
  /** Not to be offered to others: a privacy address that goes away, a deprecated one, or one that another host has. */
  readonly isTemporary: boolean;
}

export interface Route {
  /** A canonical network; a default route is 0.0.0.0/0 or ::/0. */
  readonly destination: string;
  readonly device: string;
  /** Who put it there, as ip names it: `kernel`, `dhcp`, `bird`. */
  readonly protocol: string;
}

/** Of what ip prints of routes: some 400,000. Each gateway of a mesh may bring 20,000, and what can't be read holds all meshes up. */
export const MAX_ROUTES_CHARS = 64 * 1024 * 1024;

const IpAddressEntry = z.object({
  local: z.string(),
  prefixlen: z.number(),
  scope: z.string().default("global"),
  temporary: z.boolean().default(false),
  deprecated: z.boolean().default(false),
  dadfailed: z.boolean().default(false),
});

const IpLinkEntry = z.object({
  ifname: z.string(),
  ifalias: z.string().optional(),
  flags: z.array(z.string()),
  mtu: z.number(),
  linkinfo: z.object({ info_kind: z.string().optional() }).optional(),
  // An entry without `local` is one of a kind that has no address of its own (a peer-only or filtered one).
  addr_info: z.array(z.union([IpAddressEntry, z.object({}).transform(() => null)])).default([]),
});

const IpRouteEntry = z.object({
  dst: z.string(),
  type: z.string().default("unicast"),
  dev: z.string().optional(),
  protocol: z.string().default(""),
  nexthops: z.array(z.object({ dev: z.string().optional() })).default([]),
});

/** ip prints `{}` for a link that its filter left out. */
const emptyEntry = z.strictObject({}).transform(() => null);
const IpLinks = z.array(z.union([emptyEntry, IpLinkEntry]));
const IpRoutes = z.array(z.union([emptyEntry, IpRouteEntry]));

/** Parses the reply to `ip -json -details address show`. */
export function parseLinks(text: string): Link[] {
  return parseReply(text, IpLinks, "ip address").map((entry) => ({
    name: entry.ifname,
    kind: entry.linkinfo?.info_kind ?? null,
    alias: entry.ifalias ?? null,
    isUp: entry.flags.includes("UP"),
    isLoopback: entry.flags.includes("LOOPBACK"),
    mtuBytes: entry.mtu,
    addresses: entry.addr_info.flatMap((address) => (address === null ? [] : [toLinkAddress(address)])),
  }));
}

/**
 * Parses the reply to `ip -json -4 route show`, or with `-6`. Routes that lead nowhere (blackhole and the like) are left out,
 * and those of our BIRDs: there may be thousands of them, which nobody who reads this wants.
 */
export function parseRoutes(text: string, isIpv6 = false): Route[] {
  return parseReply(text, IpRoutes, "ip route", isOfOurBird).flatMap(({ dst, dev, protocol, nexthops, type }) => {
    const device = dev ?? nexthops[0]?.dev;
    if (device === undefined || type !== "unicast") return [];
    return [{ destination: toNetwork(dst, text, isIpv6), device, protocol }];
  });
}

const isOfOurBird = (entry: unknown): boolean =>
  typeof entry === "object" &&
  entry !== null &&
  "protocol" in entry &&
  entry.protocol === "bird" &&
  "metric" in entry &&
  isOurMetric(Number(entry.metric));

function parseReply<T>(
  text: string,
  schema: z.ZodType<(T | null)[]>,
  source: string,
  isLeftOut: (entry: unknown) => boolean = () => false,
): T[] {
  let reply: unknown;
  try {
    // Where there is nothing to show, ip prints nothing at all.
    reply = text.trim() === "" ? [] : JSON.parse(text);
  } catch (error) {
    throw new ParseError({ source, line: 1, text, problem: "not JSON" }, { cause: error });
  }
  const parsed = schema.safeParse(Array.isArray(reply) ? reply.filter((entry) => !isLeftOut(entry)) : reply);
  if (!parsed.success) {
    throw new ParseError({ source, line: 1, text, problem: z.prettifyError(parsed.error) }, { cause: parsed.error });
  }
  return parsed.data.filter((entry) => entry !== null);
}

function toLinkAddress(entry: z.infer<typeof IpAddressEntry>): LinkAddress {
  return {
    address: entry.local,
    prefixLength: entry.prefixlen,
    scope: entry.scope,
    isTemporary: entry.temporary || entry.deprecated || entry.dadfailed,
  };
}

function toNetwork(destination: string, text: string, isIpv6: boolean): string {
  if (destination === "default") return isIpv6 ? "::/0" : "0.0.0.0/0";
  const network = destination.includes("/") ? destination : `${destination}/${isIpv6 ? 128 : 32}`;
  if (!ipaddr.isValidCIDR(network)) {
    throw new ParseError({ source: "ip route", line: 1, text, problem: `${destination} is not a network` });
  }
  return network;
}
