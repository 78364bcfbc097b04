// Bounds what failed authentication costs: each failure looks something up in D1. Only failures count, so a thousand machines that join
// from behind one NAT wait for nobody. In this isolate's memory: a bound on the cost, not a lock that could be guessed against, as
// tokens are 256 random bits.
import ipaddr from "ipaddr.js";
import type { ErrorCode } from "#schema/errors";
import { err, type Result } from "#schema/result";
import { createRateLimiter } from "../durable/rate-limiter.ts";
import type { Failure } from "../failure.ts";

export interface FailureLimit {
  /** Answers the attempt, unless its client has failed too often lately. */
  guard<T, F extends Failure>(
    headers: Headers,
    attempt: () => Promise<Result<T, F>>,
  ): Promise<Result<T, F | Failure<"rate_limited">>>;
}

/** A site whose machines all come with an expired token still gets most of its answers. */
const FAILURES = { burst: 200, perSecond: 10 };
/** About 1 MB. */
const MAX_CLIENTS = 8_192;

/** A wrong clock is not among them: the token was signed by the machine, and the agent corrects itself. */
const COUNTED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  ...(["unauthenticated", "api_token_expired"] as const),
  ...(["join_token_invalid", "join_token_expired", "join_token_used_up", "join_token_revoked"] as const),
  ...(["machine_token_invalid", "machine_token_mismatched", "signature_invalid"] as const),
  ...(["machine_not_found", "machine_removed"] as const),
]);

/** @param addressHeader the header that the platform sets to the client's address, whatever the client sent; null: there is none, and no limit */
export function createFailureLimit(addressHeader: string | null, now: () => number): FailureLimit {
  const limiter = createRateLimiter({ ...FAILURES, maxKeys: MAX_CLIENTS });
  return {
    async guard(headers, attempt) {
      const address = addressHeader === null ? null : headers.get(addressHeader);
      if (address === null) return attempt();
      const client = toClientKey(address);
      if (limiter.isUsedUp(client, now())) {
        return err({ code: "rate_limited", detail: "too many failed attempts from this address" });
      }
      const result = await attempt();
      if (!result.ok && COUNTED.has(result.error.code)) limiter.take(client, now());
      return result;
    },
  };
}

/** A host has a whole /64 of IPv6 addresses to come from. */
function toClientKey(address: string): string {
  if (!ipaddr.isValid(address)) return "invalid";
  const parsed = ipaddr.process(address);
  return parsed.kind() === "ipv4" ? parsed.toString() : parsed.toByteArray().slice(0, 8).join(".");
}
