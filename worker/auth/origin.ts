// Whether a request comes from the control plane's own pages. A browser sends the session's cookie with requests of other sites' pages as
// well (SameSite=Lax counts other ports, and other hosts of one domain, as the same site), so a cookie alone says nothing about who asks.
import { err, ok, type Result } from "#schema/result";
import type { Failure } from "../failure.ts";
import type { Services } from "../services.ts";

const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** The control plane's public origin. */
export const originOf = ({ origin }: Pick<Services, "origin">, request: Request): string =>
  origin ?? new URL(request.url).origin;

/**
 * Browsers set Origin on every request with an unsafe method and on WebSocket upgrades, and no page can change it. Upgrades are looked at
 * because they are GETs that the same-origin policy leaves alone.
 */
export function checkOrigin(
  services: Pick<Services, "origin">,
  request: Request,
): Result<null, Failure<"origin_mismatched">> {
  const isSafe = SAFE_METHODS.has(request.method) && !request.headers.has("upgrade");
  if (isSafe || request.headers.get("origin") === originOf(services, request)) return ok(null);
  return err({ code: "origin_mismatched", detail: "the header Origin must be this control plane's" });
}
