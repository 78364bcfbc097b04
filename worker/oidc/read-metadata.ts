import { ProviderMetadata } from "#schema/oidc";
import type { OidcSettings } from "#schema/oidc-settings";
import { err, ok } from "#schema/result";
import type { OidcResult } from "./failure.ts";
import { fetchJson, type OutboundFetch } from "./fetch-json.ts";

/** The provider's own description (OpenID Connect Discovery 1.0), which must be of the issuer that is configured. */
export async function readMetadata(
  { issuer }: Pick<OidcSettings, "issuer">,
  fetch: OutboundFetch,
): Promise<OidcResult<ProviderMetadata>> {
  const answer = await fetchJson(fetch, "discovery", `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`);
  if (!answer.ok) return answer;
  const { status, value } = answer.value;
  if (status !== 200) return err({ code: "provider_invalid", reason: `discovery: status ${status}` });
  const metadata = ProviderMetadata.safeParse(value);
  if (!metadata.success) {
    const fields = metadata.error.issues.map(({ path }) => path.join(".")).join(", ");
    return err({ code: "provider_invalid", reason: `discovery: not as it must be: ${fields}` });
  }
  // Section 4.3: else another provider could speak for this one.
  if (metadata.data.issuer !== issuer) {
    return err({ code: "provider_invalid", reason: `discovery: is of the issuer ${metadata.data.issuer}` });
  }
  const wrong = findInsecure(metadata.data, issuer);
  if (wrong !== null) return err({ code: "provider_invalid", reason: `discovery: ${wrong} is not https` });
  return ok(metadata.data);
}

/** A provider on http is one on loopback (see oidc-settings); elsewhere codes, tokens and keys travel over https only. */
function findInsecure(metadata: ProviderMetadata, issuer: string): string | null {
  if (issuer.startsWith("http:")) return null;
  const names = ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"] as const;
  return names.find((name) => metadata[name] !== undefined && new URL(metadata[name]).protocol !== "https:") ?? null;
}
