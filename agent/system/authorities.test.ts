// A control plane whose certificate is of an authority that only BECKET_CA_FILE names.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { openConnectProxy } from "../testing/connect-proxy.ts";
import { makeCertificate } from "../testing/make-certificate.ts";
import { createHttp, type Http } from "./http.ts";

const folder = mkdtempSync(path.join(tmpdir(), "becket-authorities-"));
const own = makeCertificate("IP:127.0.0.1");
const server = https.createServer(own, (_, response) => response.end("hello"));
new WebSocketServer({ server });
let url = "";

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true });
});

function write(name: string, text: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
}
const ask = (client: Http) => client.request({ method: "GET", url, timeoutMs: 5_000 });

test("without the file it is not trusted, and the file is named", async () => {
  await expect(ask(createHttp({}))).rejects.toThrow(/does not trust; BECKET_CA_FILE names a file/);
});

test("with it, requests and sockets reach it, also through a proxy", async () => {
  const proxy = await openConnectProxy();
  const BECKET_CA_FILE = write("own.pem", own.cert.slice(own.cert.indexOf("-----BEGIN CERTIFICATE")));
  for (const env of [{ BECKET_CA_FILE }, { BECKET_CA_FILE, HTTPS_PROXY: proxy.url }]) {
    const client = createHttp(env);
    expect(await ask(client)).toMatchObject({ body: "hello" });
    const opening = await client.openSocket({ url, headers: {}, timeoutMs: 5_000 });
    expect(opening.kind).toBe("open");
    if (opening.kind === "open") opening.socket.close(1000);
    client.dropConnections();
  }
  expect(proxy.tunnels).not.toHaveLength(0);
  await proxy.close();
});

test("other authorities are no help", async () => {
  const client = createHttp({ BECKET_CA_FILE: write("another.pem", makeCertificate().cert) });
  await expect(ask(client)).rejects.toMatchObject({ code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
});

test.each([
  ["missing", () => path.join(folder, "none.pem"), /BECKET_CA_FILE can't be read: ENOENT/],
  ["no certificate", () => write("key.pem", "hello"), /BECKET_CA_FILE=.*key.pem holds no PEM certificate/],
  [
    "a broken certificate",
    () => write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
    /BECKET_CA_FILE=.*broken.pem holds a broken certificate/,
  ],
])("a file that is %s fails each request, and says so", async (_, file, message) => {
  const client = createHttp({ BECKET_CA_FILE: file() });
  for (const attempt of [1, 2]) await expect(ask(client), `${attempt}`).rejects.toThrow(message);
});
