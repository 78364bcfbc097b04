// The first half of a sign-in: what is made up for it, how the browser keeps it, and where the browser is sent. Pure.
//
// The browser keeps it in a cookie of its own, so nobody can fill a table by beginning sign-ins. That it can read and change what is in there
// gains it nothing: state ties the provider's answer to this browser, nonce ties the ID token to it, and the verifier is its own.
import { base64url } from "jose";
import { type ProviderMetadata, SignInAttempt } from "#schema/oidc";
import type { OidcSettings } from "#schema/oidc-settings";

export const ATTEMPT_SECONDS = 600;

export function createAttempt(random: (byteLength: number) => Uint8Array, returnTo: string): SignInAttempt {
  const text = () => base64url.encode(random(32));
  return { state: text(), nonce: text(), verifier: text(), returnTo };
}

export const encodeAttempt = (attempt: SignInAttempt): string => base64url.encode(JSON.stringify(attempt));

export function decodeAttempt(text: string | null): SignInAttempt | null {
  if (text === null) return null;
  try {
    return SignInAttempt.safeParse(JSON.parse(new TextDecoder().decode(base64url.decode(text)))).data ?? null;
  } catch {
    // Not ours: a cookie may hold anything.
    return null;
  }
}

export async function toAuthorizationUrl(
  { clientId, scopes }: Pick<OidcSettings, "clientId" | "scopes">,
  metadata: Pick<ProviderMetadata, "authorization_endpoint">,
  { attempt, redirectUri }: { attempt: SignInAttempt; redirectUri: string },
): Promise<string> {
  const url = new URL(metadata.authorization_endpoint);
  const parameters = {
    response_type: "code",
    client_id: clientId,
    redirect_uri: redirectUri,
    scope: scopes.join(" "),
    state: attempt.state,
    nonce: attempt.nonce,
    code_challenge: await toChallenge(attempt.verifier),
    code_challenge_method: "S256",
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

/** RFC 7636 section 4.2. */
export async function toChallenge(verifier: string): Promise<string> {
  return base64url.encode(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))));
}
