import type { SignInError } from "#schema/api/sign-in";
import type { Result } from "#schema/result";

/** Why a sign-in at the provider failed: the code for the person, the reason for the operator's log. Neither holds a token or a name. */
export interface OidcFailure {
  readonly code: Exclude<SignInError, "rate_limited" | "not_configured">;
  readonly reason: string;
}

export type OidcResult<T> = Result<T, OidcFailure>;
