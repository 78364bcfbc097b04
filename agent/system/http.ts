// HTTP and WebSocket to the control plane, as a port. On node:http and ws: measured, undici costs the agent 13 MB more memory.
import http from "node:http";
import https from "node:https";
import { type RawData, WebSocket } from "ws";
import { hasLocalAddress } from "./network-interfaces.ts";
import { createProxyAgents, type ProxyAgents } from "./proxy-agents.ts";

export interface HttpRequest {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For the whole exchange. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** A longer answer fails with the code TOO_LARGE. */
  readonly maxReplyBytes?: number;
}

export interface HttpReply {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export interface SocketRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Messages both ways. Events come only after the opening was awaited, `onClose` exactly once and last. */
export interface SocketPort {
  send(text: string): void;
  /** Copies before it returns: the caller may use the bytes' memory again at once. */
  sendBinary(bytes: Uint8Array): void;
  /** What was sent and the kernel has not taken yet. */
  bufferedBytes(): number;
  /** Closes without waiting for the other side; `onClose` is not called. */
  close(code: number): void;
  listen(events: SocketEvents): void;
  /** Its own address is none of this machine's any more: nothing can ever come over it again. */
  isOrphaned(): boolean;
}
export interface SocketEvents {
  readonly onText: (text: string) => void;
  /** Absent where the protocol has no binary messages: one is then an empty text, which no parser accepts. */
  readonly onBinary?: (bytes: Buffer) => void;
  /** 1006 and an empty reason when the connection just ended. */
  readonly onClose: (code: number, reason: string) => void;
}

/** What a server answered to an upgrade: a socket, or an ordinary reply that refuses it. */
export type SocketOpening =
  | { readonly kind: "open"; readonly socket: SocketPort; readonly headers: HttpReply["headers"] }
  | { readonly kind: "refused"; readonly reply: HttpReply };

export interface Http {
  /** Resolves with any status; rejects with a NetworkError, or with the signal's reason when aborted. */
  request(request: HttpRequest): Promise<HttpReply>;
  openSocket(request: SocketRequest): Promise<SocketOpening>;
  /** Ends every connection but those of sockets; what waits for an answer fails. The next request opens new ones. */
  dropConnections(): void;
}

/** No answer came: not resolved, refused, timed out, TLS failed. `code` is Node's, such as ECONNREFUSED. */
export class NetworkError extends Error {
  override readonly name = "NetworkError";
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export function isNetworkError(error: unknown): error is NetworkError {
  return error instanceof NetworkError;
}

/** A snapshot of 65,000 members is about 25 MB. */
const MAX_REPLY_BYTES = 64 * 1024 * 1024;

/** `env` tells about proxies (HTTPS_PROXY, HTTP_PROXY, NO_PROXY, in either case) and about whom to trust (BECKET_CA_FILE). */
export function createHttp(env: Readonly<Record<string, string | undefined>>): Http {
  const agents = createProxyAgents(env);
  return {
    request: (request) => send(request, agents),
    openSocket: (request) => openSocket(request, agents),
    dropConnections: () => agents.dropConnections(),
  };
}

function send(request: HttpRequest, agents: ProxyAgents): Promise<HttpReply> {
  const url = new URL(request.url);
  const { headers = {}, body, method } = request;
  return withTimeout(request, (signal, resolve, reject) => {
    const outgoing = (url.protocol === "https:" ? https : http).request(url, {
      method,
      agent: agents.forUrl(url),
      signal,
      headers: body === undefined ? headers : { ...headers, "content-length": Buffer.byteLength(body) },
    });
    outgoing.on("error", reject);
    outgoing.on("response", (incoming) => readReply(incoming, request.maxReplyBytes).then(resolve, reject));
    outgoing.end(body);
  });
}

function openSocket(request: SocketRequest, agents: ProxyAgents): Promise<SocketOpening> {
  const url = new URL(request.url);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return withTimeout(request, (signal, resolve, reject) => {
    const socket = new WebSocket(url, {
      headers: request.headers,
      agent: agents.forUrl(new URL(request.url)),
      perMessageDeflate: false,
      maxPayload: MAX_REPLY_BYTES,
      followRedirects: false,
    });
    // ws answers terminate() during the handshake with an error event.
    signal.addEventListener("abort", () => socket.readyState === WebSocket.CONNECTING && socket.terminate());
    let headers: HttpReply["headers"] = {};
    let localAddress: string | undefined;
    const port = toSocketPort(socket, () => localAddress);
    socket.on("upgrade", (incoming) => {
      headers = toHeaders(incoming);
      localAddress = incoming.socket.localAddress;
    });
    socket.on("unexpected-response", (outgoing, incoming) => {
      readReply(incoming)
        .then((reply) => resolve({ kind: "refused", reply }), reject)
        .finally(() => outgoing.destroy());
    });
    socket.on("open", () => resolve({ kind: "open", socket: port, headers }));
    socket.on("error", reject);
  });
}

/** Buffers what comes before `listen`, so that no message is lost between the opening and its use. */
function toSocketPort(socket: WebSocket, readLocalAddress: () => string | undefined): SocketPort {
  let events: SocketEvents | null = null;
  let isDone = false;
  const waiting: ((listener: SocketEvents) => void)[] = [];
  const emit = (event: (listener: SocketEvents) => void) => {
    if (isDone) return;
    if (events === null) waiting.push(event);
    else event(events);
  };
  socket.on("message", (data, isBinary) => {
    if (isDone) return;
    if (events === null) waiting.push((listener) => deliver(listener, data, isBinary));
    else deliver(events, data, isBinary);
  });
  socket.on("close", (code, reason) => {
    emit((listener) => {
      isDone = true;
      listener.onClose(code, reason.toString());
    });
  });
  // A "close" follows every "error".
  socket.on("error", () => undefined);
  return {
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    // A client masks what it sends (RFC 6455 section 5.3). Without compression ws does that at once and into memory of its own (but for
    // one mask in 2³², all zeros, which it sends as it is).
    sendBinary: (bytes) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(bytes);
    },
    bufferedBytes: () => socket.bufferedAmount,
    close: (code) => {
      isDone = true;
      // The other side may be gone without a word: don't wait 30 s for its close frame.
      if (socket.readyState === WebSocket.OPEN) socket.close(code);
      setTimeout(() => socket.terminate(), 1_000).unref();
    },
    listen: (listener) => {
      events = listener;
      for (const event of waiting.splice(0)) event(listener);
    },
    isOrphaned: () => {
      const address = readLocalAddress()?.replace(/^::ffff:/, "");
      return address !== undefined && !hasLocalAddress(address);
    },
  };
}

function deliver(listener: SocketEvents, data: RawData, isBinary: boolean): void {
  // One Buffer: ws gives fragments and ArrayBuffers only to who asks for them.
  const bytes = data as Buffer;
  if (!isBinary) listener.onText(bytes.toString());
  else if (listener.onBinary === undefined) listener.onText("");
  else listener.onBinary(bytes);
}

function readReply(incoming: http.IncomingMessage, maxBytes = MAX_REPLY_BYTES): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    incoming.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > maxBytes) incoming.destroy(new NetworkError("TOO_LARGE", "the answer is too large"));
      else chunks.push(chunk);
    });
    incoming.on("error", reject);
    incoming.on("end", () =>
      resolve({
        status: incoming.statusCode ?? 0,
        headers: toHeaders(incoming),
        body: Buffer.concat(chunks).toString("utf8"),
      }),
    );
  });
}

function toHeaders(incoming: http.IncomingMessage): HttpReply["headers"] {
  return Object.fromEntries(
    Object.entries(incoming.headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
  );
}

type Start<T> = (signal: AbortSignal, resolve: (value: T) => void, reject: (error: unknown) => void) => void;

async function withTimeout<T>(
  limits: { timeoutMs: number; signal?: AbortSignal | undefined; url: string },
  start: Start<T>,
) {
  const { signal, timeoutMs, url } = limits;
  signal?.throwIfAborted();
  const controller = new AbortController();
  const onAbort = () => controller.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    controller.abort();
  }, timeoutMs);
  try {
    return await new Promise<T>((resolve, reject) => {
      controller.signal.addEventListener("abort", () => reject(controller.signal.reason), { once: true });
      start(controller.signal, resolve, reject);
    });
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (isNetworkError(error)) throw error;
    const { host } = new URL(url);
    if (timedOut) throw new NetworkError("ETIMEDOUT", `${host} did not answer within ${timeoutMs / 1000} s`);
    throw toNetworkError(host, error);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

const UNTRUSTED =
  "has a certificate that this machine does not trust; BECKET_CA_FILE names a file with more authorities";
const SENTENCES: Readonly<Record<string, string>> = {
  ECONNREFUSED: "refused the connection: nothing listens there",
  ENOTFOUND: "has no address: the name is unknown to DNS",
  EAI_AGAIN: "could not be looked up: DNS does not answer",
  ECONNRESET: "closed the connection",
  EHOSTUNREACH: "is unreachable: there is no route to it",
  ENETUNREACH: "is unreachable: this machine has no network",
  ETIMEDOUT: "did not answer",
  CERT_HAS_EXPIRED: "has a certificate that has expired, or this machine's clock is wrong",
  CERT_NOT_YET_VALID: "has a certificate that is not valid yet, or this machine's clock is wrong",
  ERR_TLS_CERT_ALTNAME_INVALID: "has a certificate for another name",
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
};

function toNetworkError(host: string, error: unknown): NetworkError {
  // A name with several addresses fails with all their errors together; the last one speaks for them.
  const cause = error instanceof AggregateError ? error.errors.at(-1) : error;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "UNKNOWN";
  const message = cause instanceof Error ? cause.message : String(cause);
  const sentence = SENTENCES[code] ?? explainTls(message) ?? `failed: ${message}`;
  return new NetworkError(code, `${host} ${sentence}`, { cause: error });
}

/** OpenSSL's `EPROTO 404D…:error:0A00010B:SSL routines:function:reason:file:line:`; null: it is none. */
function explainTls(message: string): string | null {
  const [, reason] = /:SSL routines:[^:]*:([^:]+):/.exec(message) ?? [];
  if (reason === undefined) return null;
  if (reason === "wrong version number") return "does not speak TLS: should the URL begin with http:// instead?";
  return `and this machine can't agree on TLS: ${reason}`;
}
