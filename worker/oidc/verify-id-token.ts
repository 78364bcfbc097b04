// OpenID Connect Core 1.0 section 3.1.3.7, every step of it that applies to a code flow.
import { base64url, decodeProtectedHeader, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import { IdTokenClaims } from "#schema/oidc";
import type { OidcSettings } from "#schema/oidc-settings";
import { err, ok } from "#schema/result";
import type { OidcResult } from "./failure.ts";

export interface IdTokenCheck {
  readonly idToken: string;
  readonly accessToken: string;
  readonly nonce: string;
  readonly keys: JWTVerifyGetKey;
  readonly nowMs: number;
}

/** How far the provider's clock may be off. */
const CLOCK_TOLERANCE_SECONDS = 60;
/** The token was made for the code that was redeemed this second. */
const MAX_AGE_SECONDS = 600;
/** Signatures with the provider's own key: with a symmetric one, whoever has the client's secret could sign. */
const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];

export async function verifyIdToken(
  { issuer, clientId }: Pick<OidcSettings, "issuer" | "clientId">,
  { idToken, accessToken, nonce, keys, nowMs }: IdTokenCheck,
): Promise<OidcResult<IdTokenClaims>> {
  let payload: JWTPayload;
  try {
    const verified = await jwtVerify(idToken, keys, {
      issuer,
      audience: clientId,
      algorithms: ALGORITHMS,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      maxTokenAge: MAX_AGE_SECONDS,
      requiredClaims: ["sub", "exp", "iat", "nonce"],
      currentDate: new Date(nowMs),
    });
    payload = verified.payload;
  } catch (error) {
    return err(toFailure(error));
  }
  const claims = IdTokenClaims.safeParse(payload);
  if (!claims.success) return invalid(`claims: ${claims.error.issues.map(({ path }) => path.join(".")).join(", ")}`);
  const { aud, azp, at_hash: accessTokenHash } = claims.data;
  if (claims.data.nonce !== nonce) return invalid("nonce: of another sign-in");
  if (azp === undefined ? Array.isArray(aud) && aud.length > 1 : azp !== clientId)
    return invalid("azp: another client");
  if (accessTokenHash !== undefined && accessTokenHash !== (await hashAccessToken(idToken, accessToken))) {
    return invalid("at_hash: of another access token");
  }
  return ok(claims.data);
}

const invalid = (reason: string) => err({ code: "provider_invalid", reason: `ID token: ${reason}` } as const);

function toFailure(error: unknown): { code: "provider_invalid" | "provider_unavailable"; reason: string } {
  if (error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired) {
    return { code: "provider_invalid", reason: `ID token: ${error.code}: ${error.claim}` };
  }
  // jose says ERR_JOSE_GENERIC when the key set was answered with another status than 200.
  const isUnavailable =
    error instanceof errors.JWKSTimeout || (error instanceof errors.JOSEError && error.code === "ERR_JOSE_GENERIC");
  if (error instanceof errors.JOSEError && !isUnavailable)
    return { code: "provider_invalid", reason: `ID token: ${error.code}` };
  return { code: "provider_unavailable", reason: `keys: ${String(error)}` };
}

/** Core section 3.1.3.6: the left half of the hash that the signature's algorithm names; EdDSA's is SHA-512. */
async function hashAccessToken(idToken: string, accessToken: string): Promise<string> {
  const bits = /^[A-Z]{2}(256|384|512)$/.exec(decodeProtectedHeader(idToken).alg ?? "")?.[1] ?? "512";
  const hash = await crypto.subtle.digest(`SHA-${bits}`, new TextEncoder().encode(accessToken));
  return base64url.encode(new Uint8Array(hash, 0, hash.byteLength / 2));
}
