// Bounds what failed authentication costs: each failure looks something up in D1. Only failures count, so a thousand machines that join
// from behind one NAT wait for nobody. Nor does whoever was let in from there before: somebody who fails on purpose, from the address of
// others, keeps out only those who come with a credential that was not seen there yet, and those only while it goes on. In this isolate's
// memory: a bound on the cost, not a lock that could be guessed against, as tokens are 256 random bits.
import ipaddr from "ipaddr.js";
import type { ErrorCode } from "#schema/errors";
import { err, type Result } from "#schema/result";
import { createRateLimiter, type RateLimits } from "../durable/rate-limiter.ts";
import type { Failure } from "../failure.ts";

export interface FailureLimit {
  /** True while the client has failed too often lately. */
  isReached(headers: Headers): boolean;
  countFailure(headers: Headers): void;
  /**
   * Answers the attempt, unless its client has failed too often lately.
   * @param readCredential names what is shown, so that it is known again: nothing that is secret itself. Null: it is nothing to be known by
   */
  guard<T, F extends Failure>(
    headers: Headers,
    attempt: () => Promise<Result<T, F>>,
    readCredential?: () => Promise<string | null>,
  ): Promise<Result<T, F | Failure<"rate_limited">>>;
}

/** A site whose machines all come with an expired token still gets most of its answers. */
export const FAILURES = { burst: 200, perSecond: 10 };
/** Of people who sign in: each failure may cost a request to the provider. */
export const SIGN_IN_FAILURES = { burst: 30, perSecond: 0.2 };
/** About 1 MB. */
const MAX_CLIENTS = 8_192;
/** Credentials that were good, about 1 MB: when there are more, the one that was used longest ago is forgotten. */
const MAX_KNOWN = 8_192;

/** A wrong clock is not among them: the token was signed by the machine, and the agent corrects itself. */
const COUNTED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  ...(["unauthenticated", "api_token_expired", "login_link_invalid"] as const),
  ...(["join_token_invalid", "join_token_expired", "join_token_used_up", "join_token_revoked"] as const),
  ...(["machine_token_invalid", "machine_token_mismatched", "signature_invalid"] as const),
  ...(["machine_not_found", "machine_removed"] as const),
]);

/** Nobody but its holder can make a credential fail with these, so it is good no more. */
const FORGOTTEN: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  ...(["unauthenticated", "api_token_expired", "machine_not_found", "machine_removed"] as const),
]);

/** @param addressHeader the header that the platform sets to the client's address, whatever the client sent; null: there is none, and no limit */
export function createFailureLimit(
  addressHeader: string | null,
  now: () => number,
  failures: Pick<RateLimits, "burst" | "perSecond"> = FAILURES,
): FailureLimit {
  const limiter = createRateLimiter({ ...failures, maxKeys: MAX_CLIENTS });
  const known = new Set<string>();
  /** Null: nobody is limited. */
  const readClient = (headers: Headers): string | null => {
    const address = addressHeader === null ? null : headers.get(addressHeader);
    return address === null ? null : toClientKey(address);
  };
  const isReached = (headers: Headers): boolean => {
    const client = readClient(headers);
    return client !== null && limiter.isUsedUp(client, now());
  };
  const countFailure = (headers: Headers): void => {
    const client = readClient(headers);
    if (client !== null) limiter.take(client, now());
  };
  const refusal = (): Failure<"rate_limited"> => ({
    code: "rate_limited",
    detail: "too many failed attempts from this address",
    retryAfterSeconds: Math.ceil(1 / failures.perSecond),
  });
  const remember = (key: string): void => {
    known.delete(key);
    const [oldest] = known;
    if (known.size >= MAX_KNOWN && oldest !== undefined) known.delete(oldest);
    known.add(key);
  };
  return {
    isReached,
    countFailure,
    async guard(headers, attempt, readCredential = async () => null) {
      const client = readClient(headers);
      if (client === null) return attempt();
      const credential = await readCredential();
      const key = credential === null ? null : `${client} ${credential}`;
      if (isReached(headers) && (key === null || !known.has(key))) return err(refusal());
      const result = await attempt();
      if (result.ok && key !== null) remember(key);
      if (!result.ok && COUNTED.has(result.error.code)) countFailure(headers);
      if (!result.ok && key !== null && FORGOTTEN.has(result.error.code)) known.delete(key);
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
