// A small HTTP server for what only reads: requests have no body, and whoever is slow or comes with many connections is dropped.
import http from "node:http";
import type { EndpointParts } from "#schema/address";

export interface ListenRequest {
  readonly method: string;
  readonly path: string;
  readonly accept: string | null;
}
export interface ListenReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}
export interface HttpListener {
  close(): Promise<void>;
}
/** Rejects when nobody can listen there, with the system's code in `code`. */
export type ListenHttp = (
  address: EndpointParts,
  answer: (request: ListenRequest) => Promise<ListenReply>,
) => Promise<HttpListener>;

const MAX_CONNECTIONS = 16;
const TIMEOUTS = { headersTimeout: 5_000, requestTimeout: 5_000, keepAliveTimeout: 65_000 };

export const listenHttp: ListenHttp = async ({ address, port }, answer) => {
  const server = http.createServer(TIMEOUTS, (request, response) => {
    request.resume();
    const { method = "", url: path = "" } = request;
    answer({ method, path, accept: request.headers.accept ?? null }).then(
      ({ status, contentType, body }) => {
        response.writeHead(status, {
          "content-type": contentType,
          "content-length": Buffer.byteLength(body),
          "cache-control": "no-store",
          "x-content-type-options": "nosniff",
        });
        response.end(body);
      },
      () => response.destroy(),
    );
  });
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, address, resolve));
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
