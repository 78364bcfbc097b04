// The OpenID provider of a test, on loopback.
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { ANN, createOpenIdProvider, type Person } from "./create-openid-provider.ts";

export const CLIENT = { id: "becket", secret: "a client's secret: 100% / + safe" } as const;

export interface OpenIdProvider {
  readonly issuer: string;
  person: Person;
  /** The client exists from here on: its redirect URI is known only when the control plane runs. */
  register(redirectUri: string): void;
}

export async function startOpenIdProvider(): Promise<OpenIdProvider> {
  let handle: RequestListener = (_, response) => void response.writeHead(503).end();
  const server = createServer((request, response) => handle(request, response)).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const openId: OpenIdProvider = {
    issuer,
    person: ANN,
    register(redirectUri) {
      const client = { ...CLIENT, redirectUri };
      handle = createOpenIdProvider({ issuer, client, readPerson: () => openId.person });
    },
  };
  return openId;
}
