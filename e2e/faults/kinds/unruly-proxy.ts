// Program: a proxy between agents and the control plane that repeats and reorders sync messages; everything else passes as it is.
// argv: LISTEN_ADDRESS LISTEN_PORT TARGET_URL SEED.
import { createServer, request } from "node:http";
import { connect, type Socket } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import { createRandom } from "../random.ts";
import { planCopies } from "./disorder.ts";

const [address = "", port = "", target = "", seed = ""] = process.argv.slice(2);
const { hostname, port: targetPort, host } = new URL(target);
const random = createRandom(Number(seed));
const MESH_SYNC = /^\/agent\/v1\/meshes\/[^/]+\/sync/;
/** Set by whoever connects (RFC 6455 section 4.1), so by each `ws` for itself. */
const OF_ONE_CONNECTION = /^(connection|upgrade|sec-websocket-)/;
/** Codes that only an endpoint itself may report (RFC 6455 section 7.4.1). */
const UNSENDABLE = new Set([1005, 1006, 1015]);

const server = createServer((incoming, outgoing) => {
  const { method, url, headers } = incoming;
  const forwarded = request({ hostname, port: targetPort, method, path: url, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  forwarded.on("error", () => outgoing.destroy());
  outgoing.on("close", () => forwarded.destroy());
  incoming.pipe(forwarded);
});
const acceptor = new WebSocketServer({ noServer: true, perMessageDeflate: false });

server.on("upgrade", (incoming, socket: Socket, head) => {
  if (!MESH_SYNC.test(incoming.url ?? "")) {
    passThrough(incoming.method ?? "", incoming.url ?? "", incoming.rawHeaders, socket, head);
    return;
  }
  const headers = Object.entries(incoming.headers).filter(([name]) => !OF_ONE_CONNECTION.test(name));
  const upstream = new WebSocket(`ws://${host}${incoming.url}`, {
    headers: Object.fromEntries(headers) as Record<string, string>,
    perMessageDeflate: false,
  });
  socket.on("error", () => upstream.terminate());
  upstream.once("unexpected-response", (_request, answer) => {
    const lines = answer.rawHeaders.flatMap((name, index, all) =>
      index % 2 === 0 ? [`${name}: ${all[index + 1]}`] : [],
    );
    socket.write(`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\n${lines.join("\r\n")}\r\n\r\n`);
    answer.pipe(socket);
  });
  upstream.on("error", () => socket.destroy());
  upstream.once("open", () => {
    // What comes before the other side is there waits in the socket.
    upstream.pause();
    acceptor.handleUpgrade(incoming, socket, head, (downstream) => {
      join(downstream, upstream);
      join(upstream, downstream);
      upstream.resume();
    });
  });
});
server.listen(Number(port), address);

function join(from: WebSocket, to: WebSocket): void {
  from.on("message", (data, isBinary) => {
    for (const delayMs of planCopies(isBinary ? null : readType(String(data)), random)) {
      const send = () => to.readyState === WebSocket.OPEN && to.send(data, { binary: isBinary });
      if (delayMs === 0) send();
      else setTimeout(send, delayMs);
    }
  });
  from.on("close", (code, reason) => (UNSENDABLE.has(code) ? to.terminate() : to.close(code, reason)));
  from.on("error", () => to.terminate());
}

function readType(text: string): string | null {
  try {
    return (JSON.parse(text) as { type?: string }).type ?? null;
  } catch {
    return null; // `ping` and `pong`
  }
}

/** Byte for byte. */
function passThrough(method: string, url: string, rawHeaders: readonly string[], socket: Socket, head: Buffer): void {
  const upstream = connect(Number(targetPort), hostname, () => {
    const lines = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1]}`] : []));
    upstream.write(`${method} ${url} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
    upstream.write(head);
    socket.pipe(upstream);
    upstream.pipe(socket);
  });
  for (const [one, other] of [
    [socket, upstream],
    [upstream, socket],
  ] as const) {
    one.on("error", () => other.destroy());
    one.on("close", () => other.destroy());
  }
}
