import { type ProviderMetadata, TokenErrorReply, TokenReply } from "#schema/oidc";
import type { OidcSettings } from "#schema/oidc-settings";
import { err, ok } from "#schema/result";
import type { OidcResult } from "./failure.ts";
import { fetchJson, type OutboundFetch } from "./fetch-json.ts";

export interface Redemption {
  readonly code: string;
  readonly verifier: string;
  readonly redirectUri: string;
}

/** RFC 6749 section 4.1.3. The provider takes a code once, and only with the verifier of its challenge (RFC 7636). */
export async function redeemCode(
  settings: Pick<OidcSettings, "clientId" | "clientSecret">,
  metadata: Pick<ProviderMetadata, "token_endpoint" | "token_endpoint_auth_methods_supported">,
  { code, verifier, redirectUri }: Redemption,
  fetch: OutboundFetch,
): Promise<OidcResult<TokenReply>> {
  const grant = { grant_type: "authorization_code", code, redirect_uri: redirectUri, code_verifier: verifier };
  const client = authenticateClient(settings, metadata.token_endpoint_auth_methods_supported);
  const answer = await fetchJson(fetch, "token", metadata.token_endpoint, {
    method: "POST",
    headers: { ...client.headers },
    body: new URLSearchParams({ ...grant, ...client.fields }),
  });
  if (!answer.ok) return answer;
  const { status, value } = answer.value;
  if (status !== 200) {
    const error = TokenErrorReply.safeParse(value).data?.error ?? "no code of an error";
    return err({ code: "provider_refused", reason: `token: status ${status}: ${error}` });
  }
  const reply = TokenReply.safeParse(value);
  if (reply.success) return ok(reply.data);
  const fields = reply.error.issues.map(({ path }) => path.join(".")).join(", ");
  return err({ code: "provider_invalid", reason: `token: not as it must be: ${fields}` });
}

/** By the header where the provider takes that, which is the default (RFC 6749 section 2.3.1); else in the body. */
function authenticateClient(
  { clientId, clientSecret }: Pick<OidcSettings, "clientId" | "clientSecret">,
  methods: readonly string[],
): { headers?: Record<string, string>; fields?: Record<string, string> } {
  if (clientSecret === null) return { fields: { client_id: clientId } };
  if (!methods.includes("client_secret_basic") && methods.includes("client_secret_post")) {
    return { fields: { client_id: clientId, client_secret: clientSecret } };
  }
  const credentials = btoa(`${encodeFormValue(clientId)}:${encodeFormValue(clientSecret)}`);
  return { headers: { authorization: `Basic ${credentials}` } };
}

/** As application/x-www-form-urlencoded writes it, which section 2.3.1 wants before base64. */
const encodeFormValue = (text: string): string => new URLSearchParams({ x: text }).toString().slice("x=".length);
