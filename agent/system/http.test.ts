import http from "node:http";
import type { AddressInfo } from "node:net";
import tls from "node:tls";
import { afterEach, expect, test } from "vitest";
import { createHttp } from "./http.ts";

let server: http.Server | tls.Server;
afterEach(() => {
  server.close();
});

async function ask(): Promise<unknown> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return createHttp({}).request({ method: "GET", url, timeoutMs: 5_000 });
}

test("says that a server does not speak TLS, and what the URL may lack", async () => {
  server = http.createServer((_, outgoing) => outgoing.end());
  await expect(ask()).rejects.toThrow(
    /^127\.0\.0\.1:\d+ does not speak TLS: should the URL begin with http:\/\/ instead\?$/,
  );
});

test("says why TLS could not be agreed on, without what only OpenSSL's authors need", async () => {
  server = tls.createServer({});
  await expect(ask()).rejects.toThrow(
    /^127\.0\.0\.1:\d+ and this machine can't agree on TLS: [\w/ ]*handshake failure$/,
  );
});
