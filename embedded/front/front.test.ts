// The front before a server that stands for the Worker's.
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { parseTrustedProxies } from "./client-address.ts";
import { createFront, type FrontOptions } from "./front.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;
const CLIENT_HEADER = "x-becket-client-1";

async function startFront(handler: Handler, options: Partial<FrontOptions> = {}) {
  const upstream = createServer(handler);
  const sockets = new WebSocketServer({ noServer: true });
  upstream.on("upgrade", (request, socket, head) => {
    if (request.url !== "/socket") socket.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno");
    else {
      sockets.handleUpgrade(request, socket, head, (webSocket) => {
        webSocket.on("message", (data, isBinary) => webSocket.send(data, { binary: isBinary }));
      });
    }
  });
  upstream.listen(0, "127.0.0.1");
  await once(upstream, "listening");
  const { port: upstreamPort } = upstream.address() as { port: number };
  const front = createFront({ upstreamPort, clientHeader: CLIENT_HEADER, trustedProxies: [], ...options });
  const port = await front.listen("127.0.0.1", 0);
  const stop = () => {
    upstream.close();
    upstream.closeAllConnections();
  };
  onTestFinished(() => {
    front.close();
    stop();
  });
  return { front, port, url: `http://127.0.0.1:${port}`, stopUpstream: stop };
}

const echo: Handler = (request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const { method, url, headers } = request;
    response.end(JSON.stringify({ method, url, headers, body: Buffer.concat(chunks).toString() }));
  });
};

async function untilSome<T>(items: readonly T[]): Promise<readonly T[]> {
  while (items.length === 0) await new Promise((resolve) => setImmediate(resolve));
  return items;
}

/** What comes back on a connection of its own until it ends. */
async function say(port: number, text: string): Promise<{ head: string; body: string }> {
  const socket = connect(port, "127.0.0.1");
  socket.write(text, "latin1");
  const all = await readAll(socket);
  const [head = "", body = ""] = all.split("\r\n\r\n");
  return { head, body };
}

async function readAll(socket: Socket): Promise<string> {
  let text = "";
  socket.setEncoding("latin1");
  for await (const chunk of socket) text += chunk;
  return text;
}

describe("what is no good request gets a problem document, and the connection ends", () => {
  it.each([
    ["a TLS hello", "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400, "bad_request"],
    ["a Host that is none", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "bad_request"],
    ["no Host", "GET / HTTP/1.1\r\n\r\n", 400, "bad_request"],
    [
      "two lengths",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400,
      "bad_request",
    ],
    ["a method that is none", "FOO / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad_request"],
    [
      "an upgrade with a Host that is none",
      "GET /socket HTTP/1.1\r\nHost: a b\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
      400,
      "bad_request",
    ],
    ["a path of Miniflare's", "GET /cdn-cgi/local/scheduled HTTP/1.1\r\nHost: a\r\n\r\n", 404, "not_found"],
    ["a tunnel", "CONNECT evil.test:443 HTTP/1.1\r\nHost: a\r\n\r\n", 405, "method_not_allowed"],
    ["TRACE", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405, "method_not_allowed"],
    ["headers of 17 KiB", `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(17_000)}\r\n\r\n`, 431, "headers_too_large"],
  ])("%s", async (_, text, status, code) => {
    const { port } = await startFront(() => expect.unreachable());
    const { head, body } = await say(port, text);
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(head.toLowerCase()).toContain("content-type: application/problem+json");
    expect(JSON.parse(body)).toMatchObject({ status, code, type: `urn:becket:problem:${code}`, requestId: /^req_/ });
  });

  it("a client that is slow to say what it wants", async () => {
    const { port } = await startFront(() => expect.unreachable(), { limits: { headersMs: 100, requestMs: 200 } });
    const { head, body } = await say(port, "GET / HTTP/1.1\r\nHost: a\r\n");
    expect(head).toMatch(/^HTTP\/1\.1 408 /);
    expect(JSON.parse(body)).toMatchObject({ code: "request_timeout" });
  });

  it("anything, while the Worker is not there", async () => {
    const { url, stopUpstream } = await startFront(echo);
    await (await fetch(url)).text();
    stopUpstream();
    const response = await fetch(url);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ code: "unavailable" });
  });
});

describe("what is one goes on, and its answer comes back, as they are", () => {
  it("methods, bodies with a length and without one, headers that come twice, statuses", async () => {
    const { url } = await startFront(echo);
    const body = "x".repeat(60_000);
    const stream = new Response(body).body;
    for (const sent of [{ body }, { body: stream, duplex: "half" }]) {
      const response = await fetch(`${url}/a?b=c`, { method: "POST", ...sent } as RequestInit);
      expect(await response.json()).toMatchObject({ method: "POST", url: "/a?b=c", body });
    }
    const { url: other } = await startFront((_, response) => {
      response.writeHead(304, ["set-cookie", "a=1", "set-cookie", "b=2", "etag", '"1"']).end();
    });
    const response = await fetch(other);
    expect([response.status, response.headers.getSetCookie()]).toEqual([304, ["a=1", "b=2"]]);
  });

  it.each([
    ["GET", 200, ["GET", "GET", "GET"]],
    ["DELETE", 503, ["GET", "DELETE"]],
    ["POST", 503, ["GET", "POST"]],
  ])(
    "a %s without a body whose connection the Worker ends comes to it as often as it may",
    async (method, status, expected) => {
      const seen: (string | undefined)[] = [];
      const { url } = await startFront((request, response) => {
        seen.push(request.method);
        if (seen.length === 2) request.socket.destroy();
        else response.end("fine");
      });
      // The first leaves a connection to use again.
      await (await fetch(url)).text();
      expect((await fetch(url, { method })).status).toBe(status);
      expect(seen).toEqual(expected);
    },
  );

  it("an answer that comes before the body's end, of which the client reads it", async () => {
    const { port } = await startFront((_, response) =>
      response.writeHead(413, { connection: "close" }).end("too much"),
    );
    const { head } = await say(
      port,
      "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 60000\r\n\r\nx",
    );
    expect(head).toMatch(/^HTTP\/1\.1 413 /);
  });

  it("no body that the Worker would not take, but the reason", async () => {
    const { url } = await startFront(() => expect.unreachable());
    const answer = await fetch(url, { method: "POST", body: "x".repeat(30_000_000) });
    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({ code: "body_too_large", detail: "at most 65536 bytes" });
  });

  it("whom it comes from is a trusted proxy's to say, and nobody else's", async () => {
    const headers = {
      "x-forwarded-for": "192.0.2.7",
      [CLIENT_HEADER.slice(0, -1)]: "192.0.2.8",
      "cf-connecting-ip": "192.0.2.9",
    };
    const seen = async (options: Partial<FrontOptions>) => {
      const { url } = await startFront(echo, options);
      const { headers: got } = (await (await fetch(url, { headers })).json()) as { headers: Record<string, string> };
      expect([got["x-forwarded-for"], got["cf-connecting-ip"]]).toEqual([undefined, undefined]);
      return got[CLIENT_HEADER];
    };
    expect(await seen({})).toBeUndefined();
    const trusted = parseTrustedProxies("127.0.0.0/8");
    expect(await seen({ trustedProxies: trusted.ok ? trusted.value : [] })).toBe("192.0.2.7");
  });

  it("a client that goes away is gone for the Worker as well", async () => {
    const requests: IncomingMessage[] = [];
    const { url } = await startFront((request) => void requests.push(request.on("error", () => undefined)));
    const controller = new AbortController();
    const asked = fetch(url, { signal: controller.signal });
    const [request] = await untilSome(requests);
    controller.abort();
    await expect(asked).rejects.toThrow();
    await new Promise<void>((resolve) => (request?.closed === false ? request.on("close", resolve) : resolve()));
  });
});

describe("a WebSocket", () => {
  it("passes through, in both directions, with all that is sent at once", async () => {
    const { port } = await startFront(echo);
    const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`);
    await once(socket, "open");
    const payloads = [Buffer.from("one"), Buffer.alloc(200_000, "x"), Buffer.from("three")];
    const received: Buffer[] = [];
    const all = new Promise<void>((resolve) =>
      socket.on("message", (data: Buffer) => received.push(data) === payloads.length && resolve()),
    );
    for (const payload of payloads) socket.send(payload);
    await all;
    expect(Buffer.concat(received).equals(Buffer.concat(payloads))).toBe(true);
    socket.close(4_400, "because");
    expect(await once(socket, "close")).toEqual([4_400, Buffer.from("because")]);
  });

  it("that the Worker refuses gets the Worker's answer", async () => {
    const { port } = await startFront(echo);
    const socket = new WebSocket(`ws://127.0.0.1:${port}/elsewhere`);
    socket.on("error", () => undefined);
    const [, response] = await once(socket, "unexpected-response");
    expect(response.statusCode).toBe(403);
    expect(await readAll(response)).toBe("no");
  });

  it("ends on both sides when either ends, or the front does", async () => {
    const { port, front, stopUpstream } = await startFront(echo);
    const open = async () => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`);
      await once(socket, "open");
      return socket;
    };
    const [one, two] = [await open(), await open()];
    one.terminate();
    front.close();
    await once(two, "close");
    stopUpstream();
  });
});
