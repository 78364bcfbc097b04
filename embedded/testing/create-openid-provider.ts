// A real OpenID provider (npm oidc-provider, certified) as a handler of requests. It signs in whoever it is told, without asking.
import { generateKeyPairSync } from "node:crypto";
import type { RequestListener } from "node:http";
import Provider, { type GrantContext } from "oidc-provider";

/** The subject and its claims. */
export interface Person {
  readonly sub: string;
  readonly [claim: string]: unknown;
}

export const ANN: Person = { sub: "ann", name: "Ann Example", email: "ann@example.org", email_verified: true };

export interface OpenIdProviderInput {
  /** The origin that it answers at. */
  readonly issuer: string;
  readonly client: { readonly id: string; readonly secret: string; readonly redirectUri: string };
  /** Who sits at the keyboard. */
  readonly readPerson: () => Person;
}

export function createOpenIdProvider(input: OpenIdProviderInput): RequestListener {
  const provider = new Provider(input.issuer, toConfiguration(input));
  const callback = provider.callback();
  return (request, response) => {
    const isInteraction = request.url?.startsWith("/interaction/") === true;
    const login = { login: { accountId: input.readPerson().sub } };
    void (isInteraction ? provider.interactionFinished(request, response, login) : callback(request, response));
  };
}

function toConfiguration({ client, readPerson }: OpenIdProviderInput): Record<string, unknown> {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  return {
    clients: [
      {
        client_id: client.id,
        client_secret: client.secret,
        redirect_uris: [client.redirectUri],
        response_types: ["code"],
        grant_types: ["authorization_code"],
      },
    ],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    cookies: { keys: ["of the tests"] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), alg: "RS256", use: "sig", kid: "one" }] },
    // Seconds; it complains of its own defaults.
    ttl: { AccessToken: 600, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
    pkce: { required: () => true },
    findAccount: (_: unknown, id: string) => ({ accountId: id, claims: () => ({ ...readPerson(), sub: id }) }),
    async loadExistingGrant({ oidc }: GrantContext) {
      const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
      grant.addOIDCScope("openid email profile");
      await grant.save();
      return grant;
    },
  };
}
