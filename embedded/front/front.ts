// What listens for the world: Node's HTTP server, in front of Miniflare's on loopback. It refuses what is no good request with a problem document, bounds
// what a client may cost before it has said anything, tells the Worker whom a request comes from, keeps files that never change (kept-assets.ts), and
// passes everything else on as it is.
import { Agent, createServer, type IncomingMessage, request, type Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream";
import { MAX_API_BODY_BYTES, MAX_MACHINE_MESSAGE_BYTES } from "#schema/limits";
import { readOrigin, type TrustedProxies } from "./client-address.ts";
import { type ForwardedHead, pairsOf, toForwardedHead, valuesOf } from "./forwarded-request.ts";
import { createKeptAssets, type KeptAnswer, toAssetName } from "./kept-assets.ts";
import { answerProblem, type FrontFailure, writeProblem } from "./problem-response.ts";

export interface FrontOptions {
  /** The Worker's, on 127.0.0.1. */
  readonly upstreamPort: number;
  readonly clientHeader: string;
  readonly trustedProxies: TrustedProxies;
  readonly limits?: Partial<FrontLimits>;
}

export interface FrontLimits {
  readonly headerBytes: number;
  /** More than any request of the API may have. Left to the Worker, what a client says beyond it would meet a connection that is closed already. */
  readonly bodyBytes: number;
  /** Until a request's headers are there, and all of it: a client that sends a byte now and then holds nothing for longer. */
  readonly headersMs: number;
  readonly requestMs: number;
}

export interface Front {
  listen(host: string, port: number): Promise<number>;
  /** Ends every connection. */
  close(): void;
}

const FRONT_LIMITS: FrontLimits = {
  headerBytes: 16 * 1_024,
  bodyBytes: Math.max(MAX_API_BODY_BYTES, MAX_MACHINE_MESSAGE_BYTES),
  ...{ headersMs: 10_000, requestMs: 30_000 },
};
/** Those that a server may be asked twice (RFC 9110 section 9.2.1). */
const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);
/** Longer than a proxy in front keeps an idle connection (nginx: 60 s): it is the one to end it. */
const KEEP_ALIVE_MS = 75_000;

export function createFront({ upstreamPort, clientHeader, trustedProxies, limits = {} }: FrontOptions): Front {
  const { headerBytes, bodyBytes, headersMs, requestMs } = { ...FRONT_LIMITS, ...limits };
  // The Worker's server ends idle connections after 5 s (KJ's pipeline timeout): they are given up before.
  const agent = new Agent({ keepAlive: true, timeout: 4_000, scheduling: "lifo" });
  const upgraded = new Set<Duplex>();
  const assets = createKeptAssets();

  /** Sends it on, or answers why not. */
  function forward(incoming: IncomingMessage, outgoing: ServerResponse, upgrade: { head: Buffer } | null): void {
    const { rawHeaders, socket } = incoming;
    const forwarded = {
      forwardedFor: valuesOf(rawHeaders, "x-forwarded-for").join(","),
      forwardedProto: valuesOf(rawHeaders, "x-forwarded-proto").at(-1),
    };
    const origin = readOrigin(socket.remoteAddress, forwarded, trustedProxies);
    const head = toForwardedHead({ target: incoming.url ?? "", rawHeaders }, origin, clientHeader);
    if (incoming.method === "TRACE") answerProblem(outgoing, { code: "method_not_allowed" });
    else if (!head.ok) answerProblem(outgoing, head.error);
    else if (Number(incoming.headers["content-length"] ?? 0) > bodyBytes)
      answerProblem(outgoing, { code: "body_too_large", detail: `at most ${bodyBytes} bytes` });
    else if (upgrade !== null) sendUpgrade(incoming, outgoing, { ...head.value, first: upgrade.head });
    else send(incoming, outgoing, head.value);
  }

  function send(incoming: IncomingMessage, outgoing: ServerResponse, { path, headers }: ForwardedHead): void {
    const isChunked = incoming.headers["transfer-encoding"] !== undefined;
    const hasBody = isChunked || Number(incoming.headers["content-length"] ?? 0) > 0;
    const asset = hasBody ? null : toAssetName(incoming.method, path, headers);
    const kept = asset === null ? undefined : assets.find(asset);
    if (kept !== undefined) {
      answerKept(kept, outgoing);
      return;
    }
    const isRepeatable = !hasBody && SAFE_METHODS.has(incoming.method ?? "");
    const framed = isChunked ? [...headers, "transfer-encoding", "chunked"] : headers;
    const upstream = request({
      ...{ host: "127.0.0.1", port: upstreamPort, method: incoming.method, path, headers: framed },
      // What can be sent once only, because it changes something or has a body, goes not over a connection that may be ending.
      agent: isRepeatable ? agent : false,
    });
    upstream.on("response", (answer) => {
      if (asset !== null) assets.listen(asset, answer);
      answerAs(answer, outgoing);
    });
    upstream.on("error", () => {
      if (outgoing.headersSent || outgoing.destroyed) outgoing.destroy();
      else if (upstream.reusedSocket && isRepeatable) send(incoming, outgoing, { path, headers });
      else answerProblem(outgoing, { code: "unavailable" });
    });
    outgoing.on("close", () => {
      if (!outgoing.writableFinished) upstream.destroy();
    });
    // No pipeline: an answer that comes before the body's end still has to reach the client.
    if (hasBody) incoming.pipe(upstream);
    else upstream.end();
  }

  function sendUpgrade(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    { path, headers, first }: ForwardedHead & { readonly first: Buffer },
  ): void {
    const upstream = request({
      ...{ host: "127.0.0.1", port: upstreamPort, method: incoming.method, path, agent: false },
      headers: [...headers, "connection", "Upgrade", "upgrade", "websocket"],
    });
    upstream.on("response", (answer) => answerAs(answer, outgoing));
    upstream.on("upgrade", (answer, inner: Socket, innerFirst) => {
      const outer = incoming.socket;
      outgoing.detachSocket(outer);
      outer.write(renderUpgrade(answer));
      if (innerFirst.length > 0) outer.write(innerFirst);
      if (first.length > 0) inner.write(first);
      join(outer, inner);
    });
    upstream.on("error", () => {
      if (outgoing.headersSent || outgoing.destroyed) outgoing.destroy();
      else answerProblem(outgoing, { code: "unavailable" });
    });
    outgoing.on("close", () => {
      if (!outgoing.writableFinished) upstream.destroy();
    });
    upstream.end();
  }

  /** From here on it is bytes. */
  function join(...pair: [Socket, Socket]): void {
    const [outer, inner] = pair;
    for (const socket of pair) {
      const other = socket === outer ? inner : outer;
      socket.setNoDelay(true);
      socket.setTimeout(0);
      upgraded.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        upgraded.delete(socket);
        other.destroySoon();
      });
      socket.pipe(other);
    }
  }

  const server: Server = createServer(
    {
      maxHeaderSize: headerBytes,
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: Math.min(headersMs, 5_000),
      // Refused here, as a problem document.
      requireHostHeader: false,
      noDelay: true,
      // Any other upgrade (h2c) is an offer that may be ignored.
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === "websocket",
    },
    (incoming, outgoing) => forward(incoming, outgoing, null),
  );
  server.on("upgrade", (incoming, socket: Socket, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    const outgoing = new ServerResponse(incoming);
    outgoing.shouldKeepAlive = false;
    outgoing.assignSocket(socket);
    outgoing.on("finish", () => socket.end());
    forward(incoming, outgoing, { head });
  });
  server.on("connect", (_, socket: Duplex) => writeProblem(socket, { code: "method_not_allowed" }));
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => writeProblem(socket, toFailure(error)));

  return {
    listen(host, port) {
      return new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen({ host, port, exclusive: true }, () => {
          server.off("error", reject);
          resolve((server.address() as { port: number }).port);
        });
      });
    },
    close() {
      server.close();
      server.closeAllConnections();
      for (const socket of upgraded) socket.destroy();
      agent.destroy();
    },
  };
}

function toFailure({ code }: NodeJS.ErrnoException): FrontFailure {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return { code: "request_timeout" };
  if (code === "HPE_HEADER_OVERFLOW") return { code: "headers_too_large" };
  return { code: "bad_request", detail: "this is no HTTP request" };
}

function answerAs(answer: IncomingMessage, outgoing: ServerResponse): void {
  outgoing.writeHead(answer.statusCode ?? 500, answer.statusMessage, withoutFraming(answer.rawHeaders));
  pipeline(answer, outgoing, () => undefined);
}

function answerKept({ rawHeaders, body }: KeptAnswer, outgoing: ServerResponse): void {
  outgoing.writeHead(200, [...rawHeaders]);
  outgoing.end(body);
}

function renderUpgrade({ statusMessage, rawHeaders }: IncomingMessage): string {
  const lines = [...pairsOf(rawHeaders)].map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 101 ${statusMessage}\r\n${lines.join("")}\r\n`;
}

/** The connection to the client is framed anew. */
const withoutFraming = (rawHeaders: readonly string[]): string[] =>
  [...pairsOf(rawHeaders)].filter(([name]) => !/^(?:connection|keep-alive|transfer-encoding)$/i.test(name)).flat();
