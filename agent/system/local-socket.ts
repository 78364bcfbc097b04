// HTTP over a unix socket in the run folder: how the command line talks to the agent, and the locks that make it the only one.
//
// Of the network: a name in the kernel (abstract, unix(7)), one for each network namespace, gone with the process that holds it. Nothing is
// said over it: unlike a file it has no owner, so everybody may connect.
//
// Of the run folder: a server listens on a name of its own, then links it to the common name, which the kernel does at most once. Who finds the
// common name taken asks whether somebody answers there. A dead one is renamed away before it is removed: a rename succeeds for one of
// many, and if what was renamed lives after all (it started in between), it is put back.
import { chmod, link, rename, unlink } from "node:fs/promises";
import http from "node:http";
import net from "node:net";

export interface LocalRequest {
  readonly method: string;
  readonly path: string;
  /** Parsed JSON; undefined when there is no body or it is no JSON. */
  readonly body: unknown;
}
export interface LocalReply {
  readonly status: number;
  readonly body: unknown;
}

/** A server, or a lock. */
export interface LocalServer {
  close(): Promise<void>;
}

export interface LocalSockets {
  /** Null: another process answers there. The folder must exist. */
  serve(file: string, handle: (request: LocalRequest) => Promise<LocalReply>): Promise<LocalServer | null>;
  /** Null: another process works on this network namespace. */
  lockNetwork(): Promise<LocalServer | null>;
  /** Null: nobody answers there. Rejects when somebody does, but not as it should. */
  request(file: string, request: LocalRequest, timeoutMs: number): Promise<LocalReply | null>;
}

const MAX_BODY_BYTES = 64 * 1024;
const PROBE_TIMEOUT_MS = 2_000;

const LOCK_NAME = "becket-agent";

/** @param lockName other than the default for tests, which share one network */
export function createLocalSockets(lockName = LOCK_NAME): LocalSockets {
  return { serve, request, lockNetwork: () => lockNetwork(lockName) };
}

async function lockNetwork(name: string): Promise<LocalServer | null> {
  const server = net.createServer((socket) => socket.destroy());
  try {
    await listen(server, `\0${name}`);
  } catch (error) {
    if (toCode(error) === "EADDRINUSE") return null;
    throw error;
  }
  return { close: () => closeServer(server) };
}

async function serve(
  file: string,
  handle: (request: LocalRequest) => Promise<LocalReply>,
): Promise<LocalServer | null> {
  const own = `${file}.${process.pid}`;
  const server = http.createServer((incoming, outgoing) => {
    readBody(incoming)
      .then((body) => handle({ method: incoming.method ?? "", path: incoming.url ?? "", body }))
      .catch((error: unknown) => ({ status: 500, body: { code: "internal_error", message: String(error) } }))
      .then(({ status, body }) => {
        outgoing.writeHead(status, { "content-type": "application/json", connection: "close" });
        outgoing.end(JSON.stringify(body));
      });
  });
  await removeName(own);
  await listen(server, own);
  await chmod(own, 0o600);
  try {
    if (!(await takeName(own, file))) {
      await closeServer(server);
      return null;
    }
  } finally {
    await removeName(own);
  }
  return {
    async close() {
      await removeName(file);
      await closeServer(server);
    },
  };
}

async function takeName(own: string, file: string): Promise<boolean> {
  for (;;) {
    try {
      await link(own, file);
      return true;
    } catch (error) {
      if (toCode(error) !== "EEXIST") throw error;
    }
    if (await isAnswered(file)) return false;
    const aside = `${own}.stale`;
    try {
      await rename(file, aside);
    } catch (error) {
      // Somebody else has just taken it away.
      if (toCode(error) === "ENOENT") continue;
      throw error;
    }
    const wasAlive = await isAnswered(aside);
    if (wasAlive) await link(aside, file);
    await removeName(aside);
    if (wasAlive) return false;
  }
}

async function isAnswered(file: string): Promise<boolean> {
  try {
    return (await request(file, { method: "GET", path: "/v1/alive", body: undefined }, PROBE_TIMEOUT_MS)) !== null;
  } catch {
    // It took the connection, so it lives, whatever it says.
    return true;
  }
}

function request(file: string, { method, path, body }: LocalRequest, timeoutMs: number): Promise<LocalReply | null> {
  return new Promise((resolve, reject) => {
    const outgoing = http.request({ socketPath: file, method, path, agent: false, timeout: timeoutMs });
    outgoing.on("timeout", () => outgoing.destroy(new Error(`the agent did not answer within ${timeoutMs / 1_000} s`)));
    outgoing.on("error", (error) => {
      const isAbsent = ["ENOENT", "ECONNREFUSED", "ENOTSOCK"].includes(toCode(error));
      if (isAbsent) resolve(null);
      else reject(error);
    });
    outgoing.on("response", (incoming) => {
      readBody(incoming).then((reply) => resolve({ status: incoming.statusCode ?? 0, body: reply }), reject);
    });
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function readBody(stream: http.IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    length += chunk.length;
    // Requests are small; replies are our own agent's, and a peer list may be long.
    if (stream.method !== undefined && stream.method !== null && length > MAX_BODY_BYTES) throw new Error("too large");
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    // No JSON is as good as nothing; the schema that reads it says so.
    return undefined;
  }
}

function listen(server: net.Server, name: string): Promise<void> {
  return new Promise((resolve, reject) => server.once("error", reject).listen(name, resolve));
}

function closeServer(server: net.Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    if (server instanceof http.Server) server.closeIdleConnections();
  });
}

async function removeName(file: string): Promise<void> {
  try {
    await unlink(file);
  } catch (error) {
    if (toCode(error) !== "ENOENT") throw error;
  }
}

function toCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
