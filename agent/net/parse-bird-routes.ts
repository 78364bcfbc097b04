// Routes that BIRD put into the kernel's main table, as `ip -N` (iproute2 5.10 and later) shows them: numbers for protocols and tables, since
// names can be given others in /etc/iproute2. `ip monitor` knows no JSON, so its lines are read as text. Pure.
import ipaddr from "ipaddr.js";
import { z } from "zod";
import type { Ipv4, Ipv6 } from "#schema/address";
import type { Prefix } from "#schema/prefix";
import { ParseError } from "../system/parse-error.ts";
import { toIpv4Value } from "./ipv4-text.ts";
import { BIRD_PROTOCOL, isOurMetric } from "./kernel-metric.ts";

export interface KernelRoute {
  readonly prefix: Prefix;
  /** Null: it has none, or several, or leads nowhere (blackhole and the like). */
  readonly nextHop: Ipv4 | Ipv6 | null;
  /** Empty when it has none. */
  readonly device: string;
  readonly metric: number;
}

export interface RouteEvent {
  /** `set`: new, or in place of the one with the same prefix and metric. */
  readonly kind: "set" | "removed";
  readonly route: KernelRoute;
}

export type Family = "ipv4" | "ipv6";

const IpRoute = z.object({
  type: z.string().optional(),
  dst: z.string(),
  gateway: z.string().optional(),
  via: z.object({ host: z.string() }).optional(),
  dev: z.string().default(""),
  metric: z.number().default(0),
});

/** Parses `ip -N -FAMILY -json route show table 254 proto 12`; gives the routes with a metric of ours. */
export function parseBirdRoutes(text: string, family: Family): KernelRoute[] {
  const fail = failWith("ip route", text);
  let reply: unknown;
  try {
    // Where there is nothing to show, ip prints nothing at all.
    reply = text.trim() === "" ? [] : JSON.parse(text);
  } catch {
    throw fail("not JSON");
  }
  if (!Array.isArray(reply)) throw fail("not a list");
  return reply.flatMap((entry): KernelRoute[] => {
    const route = IpRoute.safeParse(entry);
    if (!route.success) throw fail(z.prettifyError(route.error));
    const { type, dst, gateway, via, dev, metric } = route.data;
    if (!isOurMetric(metric)) return [];
    const nextHop = isUnicast(type) ? (gateway ?? via?.host) : undefined;
    return [toRoute({ dst, nextHop, device: dev, metric, family }, fail)];
  });
}

const LINE =
  /^(Deleted )?(\S+) (\S+) (?:from \S+ )?(?:tos \S+ )?(?:nhid \S+ )?(?:via (?:inet6? )?(\S+) )?(?:dev (\S+) )?table (\S+) proto (\S+) (.*)$/;
const MAIN_TABLE = "254";
const UNICAST = "1";

/** Parses a line of `ip -N -oneline -details monitor route`. Null: it is of no route that a BIRD put into the main table with a metric of ours. */
export function parseRouteEvent(line: string): RouteEvent | null {
  // What others do there is the most of it.
  if (!line.includes(` proto ${BIRD_PROTOCOL} `)) return null;
  const fail = failWith("ip monitor", line);
  const [, deleted, type = "", dst = "", nextHop, device = "", table = "", protocol = "", rest = ""] =
    LINE.exec(line) ?? [];
  if (dst === "") throw fail("not a route");
  const metric = Number(/(?:^| )metric (\d+)/.exec(rest)?.[1] ?? 0);
  if (protocol !== String(BIRD_PROTOCOL) || table !== MAIN_TABLE || !isOurMetric(metric)) return null;
  // Only IPv6 routes have a preference (RFC 4191), and all of them do.
  const family = dst.includes(":") || / pref \S+/.test(rest) ? "ipv6" : "ipv4";
  const route = toRoute({ dst, nextHop: isUnicast(type) ? nextHop : undefined, device, metric, family }, fail);
  return { kind: deleted === undefined ? "set" : "removed", route };
}

/** Without -details it is left out. */
const isUnicast = (type: string = UNICAST): boolean => type === UNICAST || type === "unicast";

interface Parts {
  readonly dst: string;
  readonly nextHop: string | undefined;
  readonly device: string;
  readonly metric: number;
  readonly family: Family;
}

function toRoute({ dst, nextHop, device, metric, family }: Parts, fail: Fail): KernelRoute {
  return {
    prefix: toPrefix(dst, family, fail),
    nextHop: nextHop === undefined ? null : toAddress(nextHop, fail),
    ...{ device, metric },
  };
}

function toPrefix(destination: string, family: Family, fail: Fail): Prefix {
  if (destination === "default") return (family === "ipv4" ? "0.0.0.0/0" : "::/0") as Prefix;
  const [address = "", length = family === "ipv4" ? "32" : "128"] = destination.split("/");
  if (!/^\d{1,3}$/.test(length) || Number(length) > (family === "ipv4" ? 32 : 128)) throw fail("not a network");
  return `${toAddress(address, fail)}/${length}` as Prefix;
}

/** The kernel's text is canonical but for IPv6 addresses with an IPv4 one in them. */
function toAddress(text: string, fail: Fail): Ipv4 | Ipv6 {
  if (toIpv4Value(text) !== null) return text as Ipv4;
  if (!ipaddr.IPv6.isValid(text)) throw fail("not an address");
  return (/^::ffff:/i.test(text) || !text.includes(".") ? ipaddr.IPv6.parse(text).toRFC5952String() : text) as Ipv6;
}

type Fail = (problem: string) => ParseError;

const failWith =
  (source: string, text: string): Fail =>
  (problem) =>
    new ParseError({ source, line: 1, text, problem });
