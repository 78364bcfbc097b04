// An HTTP proxy that makes tunnels (CONNECT), on a real port of this machine.
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import type { Duplex } from "node:stream";

export interface ConnectProxy {
  readonly url: string;
  /** Each tunnel that was asked for: `host:port` and the credentials. */
  readonly tunnels: string[];
  refuses: boolean;
  close(): Promise<void>;
}

export async function openConnectProxy(): Promise<ConnectProxy> {
  const connections = new Set<Duplex>();
  const server = http.createServer();
  server.on("connect", (request, client, head) => {
    proxy.tunnels.push(`${request.url} ${request.headers["proxy-authorization"]}`);
    if (proxy.refuses) return client.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    const [host = "", port] = (request.url ?? "").split(":");
    const upstream = net.connect(Number(port), host, () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      upstream.write(head);
      upstream.pipe(client).pipe(upstream);
    });
    for (const socket of [upstream, client]) {
      connections.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => connections.delete(socket));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy: ConnectProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tunnels: [],
    refuses: false,
    close() {
      for (const socket of connections) socket.destroy();
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return proxy;
}
