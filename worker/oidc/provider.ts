// The OpenID provider as the sign-in uses it: begin, and finish. Keeps the provider's description and keys in this isolate's memory; values, not
// promises, because workerd lets no request wait for another request's fetch.
import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from "jose";
import { PersonClaims, type ProviderMetadata, type SignInAttempt, type TokenReply } from "#schema/oidc";
import type { OidcSettings } from "#schema/oidc-settings";
import { err, ok } from "#schema/result";
import { toAuthorizationUrl } from "./attempt.ts";
import type { OidcResult } from "./failure.ts";
import { fetchJson, OUTBOUND_TIMEOUT_MS, type OutboundFetch } from "./fetch-json.ts";
import { type Person, toPerson } from "./person.ts";
import { readMetadata } from "./read-metadata.ts";
import { redeemCode } from "./redeem-code.ts";
import { verifyIdToken } from "./verify-id-token.ts";

export interface OidcProvider {
  readonly settings: OidcSettings;
  /** Where the browser goes. */
  begin(attempt: SignInAttempt, redirectUri: string): Promise<OidcResult<string>>;
  /** @param issuer `iss` of the answer in the browser, where there is one */
  finish(
    answer: { code: string; issuer: string | null },
    attempt: SignInAttempt,
    redirectUri: string,
  ): Promise<OidcResult<Person>>;
}

const METADATA_MAX_AGE_MS = 3_600_000;

export function createOidcProvider(settings: OidcSettings, fetch: OutboundFetch, now: () => number): OidcProvider {
  let known: { metadata: ProviderMetadata; keys: JWTVerifyGetKey; until: number } | null = null;

  async function describe(): Promise<OidcResult<{ metadata: ProviderMetadata; keys: JWTVerifyGetKey }>> {
    if (known !== null && known.until > now()) return ok(known);
    const metadata = await readMetadata(settings, fetch);
    // A description that is an hour old still serves while the provider's own is not to be had.
    if (!metadata.ok) return known !== null && metadata.error.code === "provider_unavailable" ? ok(known) : metadata;
    const isSameKeys = known?.metadata.jwks_uri === metadata.value.jwks_uri;
    const keys = known !== null && isSameKeys ? known.keys : createKeys(metadata.value.jwks_uri, fetch);
    known = { metadata: metadata.value, keys, until: now() + METADATA_MAX_AGE_MS };
    return ok(known);
  }

  return {
    settings,
    async begin(attempt, redirectUri) {
      const provider = await describe();
      if (!provider.ok) return provider;
      return ok(await toAuthorizationUrl(settings, provider.value.metadata, { attempt, redirectUri }));
    },
    async finish({ code, issuer }, { nonce, verifier }, redirectUri) {
      const provider = await describe();
      if (!provider.ok) return provider;
      const { metadata, keys } = provider.value;
      // RFC 9207 section 2.4: an answer that another provider gave is not redeemed here.
      const isIssuerNeeded = metadata.authorization_response_iss_parameter_supported;
      if (issuer === null ? isIssuerNeeded : issuer !== settings.issuer) {
        return err({ code: "provider_invalid", reason: "the answer is of another issuer" });
      }
      const tokens = await redeemCode(settings, metadata, { code, verifier, redirectUri }, fetch);
      if (!tokens.ok) return tokens;
      const { id_token: idToken, access_token: accessToken } = tokens.value;
      const claims = await verifyIdToken(settings, { idToken, accessToken, nonce, keys, nowMs: now() });
      if (!claims.ok) return claims;
      const more = await readUserInfo(metadata, tokens.value, claims.value.sub, fetch);
      if (!more.ok) return more;
      const { groupsClaim } = settings.admission;
      return ok(toPerson(more.value === null ? [claims.value] : [claims.value, more.value], groupsClaim));
    },
  };
}

/** Fetched when an ID token comes whose key is not known, at most twice a minute; jose takes care of that. */
const createKeys = (jwksUri: string, fetch: OutboundFetch): JWTVerifyGetKey =>
  createRemoteJWKSet(new URL(jwksUri), {
    timeoutDuration: OUTBOUND_TIMEOUT_MS,
    [customFetch]: (url, { headers, method, redirect, signal }) =>
      fetch(new Request(url, { headers, method, redirect, signal })),
  });

/** Providers put address and groups into the ID token, or here (Core section 5.3), or into both. */
async function readUserInfo(
  { userinfo_endpoint: endpoint }: ProviderMetadata,
  { access_token: accessToken }: TokenReply,
  subject: string,
  fetch: OutboundFetch,
): Promise<OidcResult<PersonClaims | null>> {
  if (endpoint === undefined) return ok(null);
  const answer = await fetchJson(fetch, "userinfo", endpoint, { headers: { authorization: `Bearer ${accessToken}` } });
  if (!answer.ok) return answer;
  const claims = PersonClaims.safeParse(answer.value.value);
  if (answer.value.status !== 200 || !claims.success) {
    return err({ code: "provider_invalid", reason: `userinfo: status ${answer.value.status}, or not as it must be` });
  }
  // Section 5.3.2: an access token of somebody else must not tell who this is.
  if (claims.data.sub !== subject) return err({ code: "provider_invalid", reason: "userinfo: of another person" });
  return ok(claims.data);
}
