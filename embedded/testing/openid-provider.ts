// A real OpenID provider (npm oidc-provider, certified) on loopback. It signs in whoever the test says, without asking.
import { generateKeyPairSync } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import Provider, { type GrantContext } from "oidc-provider";
import { onTestFinished } from "vitest";

export const CLIENT = { id: "becket", secret: "a client's secret: 100% / + safe" } as const;

export interface OpenIdProvider {
  readonly issuer: string;
  /** Who sits at the keyboard: the subject and its claims. */
  person: { readonly sub: string; readonly [claim: string]: unknown };
  /** The client exists from here on: its redirect URI is known only when the control plane runs. */
  register(redirectUri: string): void;
}

export async function startOpenIdProvider(): Promise<OpenIdProvider> {
  let handle = (_: IncomingMessage, response: ServerResponse): void => void response.writeHead(503).end();
  const server = createServer((request, response) => handle(request, response)).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const openId: OpenIdProvider = {
    issuer,
    person: { sub: "ann", name: "Ann Example", email: "ann@example.org", email_verified: true },
    register(redirectUri) {
      const provider = new Provider(
        issuer,
        toConfiguration(redirectUri, () => openId.person),
      );
      const callback = provider.callback();
      handle = (request, response) => {
        const isInteraction = request.url?.startsWith("/interaction/") === true;
        const login = { login: { accountId: openId.person.sub } };
        void (isInteraction ? provider.interactionFinished(request, response, login) : callback(request, response));
      };
    },
  };
  return openId;
}

function toConfiguration(redirectUri: string, readPerson: () => OpenIdProvider["person"]): Record<string, unknown> {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  return {
    clients: [
      {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        redirect_uris: [redirectUri],
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
