import { isDatabaseFailure } from "../db/errors.ts";
import type { Failure } from "../failure.ts";

/** What a caller is told of an error that nobody expected: whether trying again can help, and nothing else. */
export function toPublicFailure(error: unknown): Failure<"internal_error" | "unavailable"> {
  return isDatabaseFailure(error) || isObjectFailure(error) ? { code: "unavailable" } : { code: "internal_error" };
}

/**
 * True when the platform lost or shed the object: the stub marks such errors `retryable` or `overloaded`
 * (Durable Objects docs, "Error handling").
 */
function isObjectFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { retryable, overloaded } = error as Error & { retryable?: unknown; overloaded?: unknown };
  return retryable === true || overloaded === true;
}
