import { SignInError } from "#schema/api/sign-in";

export interface SignInSearch {
  /** A path of this page, to go to afterwards. */
  readonly returnTo?: string;
  readonly error?: SignInError;
  readonly requestId?: string;
}

export function parseSignInSearch(search: Record<string, unknown>): SignInSearch {
  const error = SignInError.safeParse(search.error);
  return {
    ...(isOwnPath(search.returnTo) ? { returnTo: search.returnTo } : {}),
    ...(error.success ? { error: error.data } : {}),
    ...(typeof search.requestId === "string" ? { requestId: search.requestId } : {}),
  };
}

/** `//elsewhere` and `/\elsewhere` would be another host. */
const isOwnPath = (value: unknown): value is string => typeof value === "string" && /^\/(?![/\\])/.test(value);

/** The token of a one-time link, from the address's fragment, which browsers send to nobody. */
export function readLinkToken(hash: string): string | null {
  return new URLSearchParams(hash.replace(/^#/, "")).get("link");
}

export const SIGN_IN_ERRORS: Readonly<Record<SignInError, string>> = {
  not_configured: "This control plane has no OpenID provider.",
  attempt_invalid: "That sign-in was begun too long ago, or in another browser. Begin again.",
  provider_refused: "The provider did not let you in.",
  provider_unavailable: "The provider does not answer. Try again in a moment.",
  provider_invalid: "The provider's answer could not be trusted. Tell whoever runs this control plane.",
  not_allowed: "Your account is not among those that may use this control plane.",
  user_blocked: "Your account is blocked here.",
  rate_limited: "Too many attempts from your network. Wait a minute.",
};
