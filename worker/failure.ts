// An expected failure of a use-case: the code for programs, and what a person needs to understand it.
import type { ErrorCode } from "#schema/errors";

export interface Failure<C extends ErrorCode = ErrorCode> {
  readonly code: C;
  /** One sentence about this occurrence; the code's own sentence stands without it. */
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
  /** When trying again may help; of a 429 or 503, a second where it is left out. */
  readonly retryAfterSeconds?: number;
}

/** `path` is dotted: `meshIds.0`. */
export interface FieldError {
  readonly path: string;
  readonly message: string;
}

/** A failure that is one field's fault. */
export const fieldFailure = <C extends ErrorCode>(code: C, path: string, message: string): Failure<C> => ({
  code,
  detail: `${path}: ${message}`,
  errors: [{ path, message }],
});
