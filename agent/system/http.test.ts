import http from "node:http";
import type { AddressInfo } from "node:net";
import tls from "node:tls";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { eventually } from "../testing/eventually.ts";
import { createHttp, type SocketPort } from "./http.ts";

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

describe("a socket", () => {
  /** A socket to a server that says back what it hears and, first, two bytes. */
  async function open(): Promise<SocketPort> {
    const echo = http.createServer();
    server = echo;
    const acceptor = new WebSocketServer({ server: echo });
    acceptor.on("connection", (socket) => {
      socket.send(Buffer.of(1, 2));
      socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
    });
    await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(echo.address() as AddressInfo).port}/`;
    const opening = await createHttp({}).openSocket({ url, headers: {}, timeoutMs: 5_000 });
    if (opening.kind !== "open") throw new Error("refused");
    return opening.socket;
  }

  test("brings bytes as bytes and text as text, both ways and in order", async () => {
    const socket = await open();
    const heard: unknown[] = [];
    const listen = (what: unknown) => heard.push(what);
    socket.listen({ onText: listen, onBinary: listen, onClose: () => undefined });
    socket.sendBinary(Uint8Array.of(3));
    socket.send("four");
    await eventually(() => expect(heard).toEqual([Buffer.of(1, 2), Buffer.of(3), "four"]));
    expect(socket.bufferedBytes()).toBe(0);
    socket.close(1000);
  });

  test("has taken the bytes when sending returns, however much waits", async () => {
    const socket = await open();
    const sizes: number[] = [];
    const values = new Set<number>();
    socket.listen({
      onText: () => undefined,
      onBinary: (bytes) => {
        sizes.push(bytes.length);
        for (const value of new Set(bytes)) values.add(value);
      },
      onClose: () => undefined,
    });
    const bytes = Buffer.alloc(16_384);
    for (let count = 0; count < 1_000; count++) {
      bytes.fill(7);
      socket.sendBinary(bytes);
      bytes.fill(99);
    }
    expect(socket.bufferedBytes()).toBeGreaterThan(0);
    await eventually(() => expect(sizes).toHaveLength(1_001));
    expect([...values].sort()).toEqual([1, 2, 7]);
    socket.close(1000);
  });

  test("takes bytes for an empty text where nobody listens for them", async () => {
    const socket = await open();
    const texts: string[] = [];
    socket.listen({ onText: (text) => texts.push(text), onClose: () => undefined });
    await eventually(() => expect(texts).toEqual([""]));
    socket.close(1000);
  });
});
