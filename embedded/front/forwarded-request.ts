// What of a request goes on to the Worker, and what is refused before. Pure.
import { err, ok, type Result } from "#schema/result";
import type { Origin } from "./client-address.ts";
import type { FrontFailure } from "./problem-response.ts";

export interface IncomingHead {
  readonly target: string;
  /** Name and value in turn, as they came. */
  readonly rawHeaders: readonly string[];
}

export interface ForwardedHead {
  readonly path: string;
  readonly headers: string[];
}

/** A name or an address, and a port: nothing that a URL would take for something else. */
const HOST = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;
/** Miniflare's own, for development: none of it is the control plane's. */
const MINIFLARE_PATH = /^\/(?:cdn-cgi|__cf_local)(?:\/|$)/i;
/** Never of one connection: without them the rest of a request is another one, or somebody else's. */
const FRAMING = ["host", "content-length", "content-type", "authorization", "cookie", "origin"];
/** Of one connection, not of the request (RFC 9110 section 7.6.1); what Node frames itself; and what steers Miniflare or claims to be a platform's word. */
const DROPPED =
  /^(?:connection|keep-alive|proxy-connection|proxy-authorization|te|trailer|transfer-encoding|upgrade|expect|host|forwarded|x-forwarded-.*|x-real-ip|(?:mf|cf)-.*|true-client-ip)$/i;

/** @param clientHeader its name is known to the front and the Worker alone, so that nobody else can set it */
export function toForwardedHead(
  { target, rawHeaders }: IncomingHead,
  { clientAddress, protocol }: Origin,
  clientHeader: string,
): Result<ForwardedHead, FrontFailure> {
  const hosts = valuesOf(rawHeaders, "host");
  const place = splitTarget(target, hosts[0]);
  if (hosts.length > 1 || place === null || !isHost(place.host)) {
    return err({ code: "bad_request", detail: "the Host header must be one name or address, with a port or without" });
  }
  if (!place.path.startsWith("/")) return err({ code: "bad_request", detail: "the request's target must be a path" });
  if (MINIFLARE_PATH.test(toPathname(place.path))) return err({ code: "not_found" });
  const named = new Set(valuesOf(rawHeaders, "connection").flatMap((value) => value.toLowerCase().split(/\s*,\s*/)));
  if (FRAMING.some((name) => named.has(name))) {
    return err({
      code: "bad_request",
      detail: "the Connection header must not name what frames or addresses the request",
    });
  }
  const headers = ["host", place.host];
  for (const [name, value] of pairsOf(rawHeaders)) {
    if (!DROPPED.test(name) && !named.has(name.toLowerCase())) headers.push(name, value);
  }
  if (protocol !== null) headers.push("x-forwarded-proto", protocol);
  if (clientAddress !== null) headers.push(clientHeader, clientAddress);
  return ok({ path: place.path, headers });
}

/** A proxy's form of a target holds the host as well, and that one counts (RFC 9112 section 3.2.2). */
function splitTarget(target: string, host: string | undefined): { path: string; host: string } | null {
  const absolute = /^https?:\/\/(?<host>[^/?#]*)(?<path>.*)$/i.exec(target)?.groups;
  if (absolute === undefined) return host === undefined ? null : { path: target, host };
  const path = absolute.path ?? "";
  return { path: path.startsWith("/") ? path : `/${path}`, host: absolute.host ?? "" };
}

/** As the Worker sees it, without dot segments; of what is no URL, as it came. */
const toPathname = (path: string): string => URL.parse(path, "http://front.invalid")?.pathname ?? path;

const isHost = (host: string): boolean => HOST.test(host) && URL.canParse(`http://${host}/`);

export const valuesOf = (rawHeaders: readonly string[], name: string): string[] =>
  [...pairsOf(rawHeaders)].filter(([other]) => other.toLowerCase() === name).map(([, value]) => value);

export function* pairsOf(rawHeaders: readonly string[]): Generator<[string, string]> {
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    yield [rawHeaders[index] ?? "", rawHeaders[index + 1] ?? ""];
  }
}
