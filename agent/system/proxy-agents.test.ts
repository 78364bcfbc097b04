import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { type ConnectProxy, openConnectProxy } from "../testing/connect-proxy.ts";
import { createHttp } from "./http.ts";
import { toProxyUrl } from "./proxy-agents.ts";

describe("the proxy for a URL", () => {
  const env = { HTTPS_PROXY: "http://proxy:3128", http_proxy: "proxy:8080", NO_PROXY: "localhost, .internal 10.0.0.1" };
  test.each([
    ["https://becket.example.com", "http://proxy:3128/"],
    ["http://becket.example.com", "http://proxy:8080/"],
    ["https://a.internal", null],
    ["https://internal", null],
    ["https://notinternal", "http://proxy:3128/"],
    ["http://10.0.0.1:8787", null],
    ["http://localhost", null],
  ])("%s → %s", (url, proxy) => {
    expect(toProxyUrl(new URL(url), env)?.href ?? null).toBe(proxy);
  });
  test("is none without a setting, and with a star", () => {
    expect(toProxyUrl(new URL("https://x"), {})).toBeNull();
    expect(toProxyUrl(new URL("https://x"), { ...env, NO_PROXY: "*" })).toBeNull();
  });
});

describe("through a proxy", () => {
  let proxy: ConnectProxy;
  let target: http.Server;
  const urlOf = (server: http.Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  beforeEach(async () => {
    target = http.createServer((_, response) => response.end("hello"));
    const acceptor = new WebSocketServer({ server: target });
    acceptor.on("connection", (socket) => {
      socket.on("message", (data, isBinary) => socket.send(isBinary ? data : `echo ${data}`, { binary: isBinary }));
    });
    await new Promise<void>((resolve) => target.listen(0, "127.0.0.1", resolve));
    proxy = await openConnectProxy();
  });
  afterEach(async () => {
    await proxy.close();
    target.close();
    target.closeAllConnections();
  });

  test("requests and WebSockets reach their target", async () => {
    const client = createHttp({ HTTP_PROXY: proxy.url.replace("http://", "http://user:pass%20word@") });
    expect(await client.request({ method: "GET", url: urlOf(target), timeoutMs: 2_000 })).toMatchObject({
      body: "hello",
    });
    const opening = await client.openSocket({ url: urlOf(target), headers: {}, timeoutMs: 2_000 });
    if (opening.kind !== "open") throw new Error("refused");
    const echoed = new Promise((resolve) => opening.socket.listen({ onText: resolve, onClose: () => undefined }));
    opening.socket.send("you");
    expect(await echoed).toBe("echo you");
    opening.socket.close(1000);
    const credentials = Buffer.from("user:pass word").toString("base64");
    expect(proxy.tunnels[0]).toBe(`${new URL(urlOf(target)).host} Basic ${credentials}`);
    client.dropConnections();
  });

  test("a proxy that refuses is named", async () => {
    proxy.refuses = true;
    const client = createHttp({ HTTP_PROXY: proxy.url });
    const request = client.request({ method: "GET", url: urlOf(target), timeoutMs: 2_000 });
    await expect(request).rejects.toThrow(/proxy 127\.0\.0\.1:\d+ answered 407/);
    client.dropConnections();
  });
});

describe("a request", () => {
  test("fails in time when nobody answers, and says so", async () => {
    const silent = http.createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const request = createHttp({}).request({ method: "GET", url, timeoutMs: 50 });
    await expect(request).rejects.toMatchObject({
      code: "ETIMEDOUT",
      message: expect.stringContaining("did not answer within 0.05 s"),
    });
    silent.close();
    silent.closeAllConnections();
  });
});
