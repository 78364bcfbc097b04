// An OpenID provider as the control plane's requests see it. It gives codes to whoever asks, and tells what the test wants it to tell.
import { base64url, exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { toChallenge } from "../oidc/attempt.ts";
import type { OutboundFetch } from "../oidc/fetch-json.ts";

export const ISSUER = "https://id.example.org";
export const CLIENT = { id: "becket", secret: "s+cret/of:the client" } as const;

export interface FakeProvider {
  readonly fetch: OutboundFetch;
  /** Paths that were asked, oldest first. */
  readonly requests: readonly string[];
  /** The person consents: a code for the authorization URL that the browser was sent to. */
  consent(location: string): URLSearchParams;
  /** Changes what it answers. */
  behaviour: Behaviour;
}

export interface Behaviour {
  readonly metadata?: Record<string, unknown>;
  readonly claims?: Record<string, unknown>;
  readonly userInfo?: Record<string, unknown> | null;
  readonly tokenReply?: Record<string, unknown>;
  /** Signs with a key that it does not show. */
  readonly isForged?: boolean;
  /** In place of its own signature. */
  readonly sign?: (claims: Record<string, unknown>) => Promise<string>;
  /** In place of any answer, by path. */
  readonly answers?: Readonly<Record<string, () => Response | Promise<Response>>>;
}

export async function createFakeProvider(): Promise<FakeProvider> {
  const { publicKey, privateKey } = await generateKeyPair("RS256");
  const other = await generateKeyPair("RS256");
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid: "one", alg: "RS256", use: "sig" };
  const codes = new Map<string, URLSearchParams>();
  const requests: string[] = [];
  const metadata = {
    issuer: ISSUER,
    authorization_endpoint: `${ISSUER}/authorize?tenant=x`,
    token_endpoint: `${ISSUER}/token`,
    jwks_uri: `${ISSUER}/keys`,
    userinfo_endpoint: `${ISSUER}/userinfo`,
    authorization_response_iss_parameter_supported: true,
  };

  const provider: FakeProvider = {
    requests,
    behaviour: {},
    consent(location) {
      const asked = new URL(location).searchParams;
      const code = `code-${codes.size}-${crypto.randomUUID()}`;
      codes.set(code, asked);
      return new URLSearchParams({ code, state: asked.get("state") ?? "", iss: ISSUER });
    },
    async fetch(request) {
      const { pathname } = new URL(request.url);
      requests.push(pathname);
      const answer = provider.behaviour.answers?.[pathname];
      if (answer !== undefined) return answer();
      switch (pathname) {
        case "/.well-known/openid-configuration":
          return Response.json({ ...metadata, ...provider.behaviour.metadata });
        case "/keys":
          return Response.json({ keys: [jwk] });
        case "/token":
          return redeem(request, new URLSearchParams(new TextDecoder().decode(await request.arrayBuffer())));
        case "/userinfo":
          return Response.json({ sub: "ann", ...provider.behaviour.userInfo });
        default:
          return new Response("nothing here", { status: 404 });
      }
    },
  };
  return provider;

  async function redeem(request: Request, form: URLSearchParams): Promise<Response> {
    const code = form.get("code") ?? "";
    const asked = codes.get(code);
    codes.delete(code);
    const refuse = (error: string) => Response.json({ error }, { status: 400 });
    if (asked === undefined || form.get("grant_type") !== "authorization_code") return refuse("invalid_grant");
    if (form.get("redirect_uri") !== asked.get("redirect_uri")) return refuse("invalid_grant");
    const challenge = await toChallenge(form.get("code_verifier") ?? "");
    if (asked.get("code_challenge_method") !== "S256" || challenge !== asked.get("code_challenge")) {
      return refuse("invalid_grant");
    }
    if (!isClient(request, form)) return refuse("invalid_client");
    const accessToken = `access-${code}`;
    const idToken = await sign(asked, accessToken);
    return Response.json({
      ...{ access_token: accessToken, token_type: "Bearer", id_token: idToken },
      ...provider.behaviour.tokenReply,
    });
  }

  function isClient({ headers }: Request, form: URLSearchParams): boolean {
    const basic = `Basic ${btoa("becket:s%2Bcret%2Fof%3Athe+client")}`;
    if (provider.behaviour.metadata?.token_endpoint_auth_methods_supported === undefined) {
      return headers.get("authorization") === basic && !form.has("client_secret");
    }
    return form.get("client_id") === CLIENT.id && form.get("client_secret") === CLIENT.secret;
  }

  async function sign(asked: URLSearchParams, accessToken: string): Promise<string> {
    const now = Math.floor(Date.now() / 1_000);
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(accessToken)));
    const claims: Record<string, unknown> = {
      ...{ iss: ISSUER, aud: CLIENT.id, sub: "ann", iat: now, exp: now + 300, nonce: asked.get("nonce") },
      ...{ name: "Ann Example", email: "Ann@Example.org", email_verified: true },
      at_hash: base64url.encode(hash.subarray(0, 16)),
      ...provider.behaviour.claims,
    };
    for (const [name, value] of Object.entries(claims)) if (value === undefined) delete claims[name];
    if (provider.behaviour.sign !== undefined) return provider.behaviour.sign(claims);
    const key = provider.behaviour.isForged ? other.privateKey : privateKey;
    return new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: "one" }).sign(key);
  }
}
