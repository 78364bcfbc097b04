// Program: an HTTP reverse proxy that answers every WebSocket upgrade with 403, as some company proxies do.
// argv: LISTEN_ADDRESS LISTEN_PORT TARGET_URL. Prints one line for each refusal.
import { createServer, request } from "node:http";

const [address = "", port = "", target = ""] = process.argv.slice(2);
const { hostname, port: targetPort } = new URL(target);

const server = createServer((incoming, outgoing) => {
  const { method, url, headers } = incoming;
  const forwarded = request({ hostname, port: targetPort, method, path: url, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  forwarded.on("error", () => outgoing.writeHead(502).end());
  outgoing.on("close", () => forwarded.destroy());
  incoming.pipe(forwarded);
});
server.on("upgrade", (_request, socket) => {
  process.stdout.write("refused\n");
  socket.end("HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
});
server.listen(Number(port), address);
