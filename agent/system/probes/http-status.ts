import http from "node:http";
import https from "node:https";
import net from "node:net";
import type { SocketTarget } from "./probes.ts";

export interface HttpQuestion extends SocketTarget {
  readonly isTls: boolean;
  /** With its query. */
  readonly path: string;
  /** The Host header. */
  readonly authority: string;
}

export function askHttp({ host, port, isTls, path, authority }: HttpQuestion, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const options = {
      host,
      port,
      path,
      agent: false,
      headers: { host: authority, "user-agent": "becket-health-check" },
    };
    // A server name is a name (RFC 6066 section 3): none for an address.
    const tls = { rejectUnauthorized: false, servername: net.isIP(host) === 0 ? host : "" };
    const request = isTls ? https.request({ ...options, ...tls }) : http.request(options);
    const onAbort = () => {
      request.destroy();
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    const end = (settle: () => void) => {
      signal.removeEventListener("abort", onAbort);
      // The body is of no interest, however long it is.
      request.destroy();
      settle();
    };
    request.on("response", ({ statusCode = 0 }) => end(() => resolve(statusCode)));
    request.on("error", (error) => end(() => reject(error)));
    request.end();
  });
}
