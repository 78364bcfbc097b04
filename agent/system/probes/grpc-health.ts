// grpc.health.v1.Health/Check over HTTP/2, by hand: one request of five bytes and one answer of seven need no library.
// https://github.com/grpc/grpc/blob/master/doc/health-checking.md and doc/PROTOCOL-HTTP2.md
import type { IncomingHttpHeaders, IncomingHttpStatusHeader } from "node:http2";
import net from "node:net";
import { parseHealthReply } from "./grpc-frames.ts";
import type { SocketTarget } from "./probes.ts";

export interface GrpcHealth {
  /** 0 is OK (grpc-status); null: the server did not say. */
  readonly grpcStatus: number | null;
  /** 1 is SERVING; null: there was no answer in the reply. */
  readonly servingStatus: number | null;
}

/** A frame that holds an empty HealthCheckRequest: of the server as a whole. */
const REQUEST = Buffer.from([0, 0, 0, 0, 0]);
const MAX_REPLY_BYTES = 4_096;

type Target = SocketTarget & { readonly isTls: boolean };

export async function askGrpcHealth({ host, port, isTls }: Target, signal: AbortSignal): Promise<GrpcHealth> {
  // Read when it is needed: memory that an agent without such checks doesn't spend.
  const http2 = await import("node:http2");
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const authority = `${net.isIPv6(host) ? `[${host}]` : host}:${port}`;
    const tls = { rejectUnauthorized: false, servername: net.isIP(host) === 0 ? host : "" };
    const session = http2.connect(`${isTls ? "https" : "http"}://${authority}`, isTls ? tls : {});
    const end = (settle: () => void) => {
      signal.removeEventListener("abort", onAbort);
      session.destroy();
      settle();
    };
    const onAbort = () => end(() => reject(signal.reason));
    signal.addEventListener("abort", onAbort, { once: true });
    session.on("error", (error) => end(() => reject(error)));
    session.on("close", () => end(() => reject(new Error("the server closed the connection"))));
    const stream = session.request({
      ":method": "POST",
      ":path": "/grpc.health.v1.Health/Check",
      "content-type": "application/grpc",
      "user-agent": "becket-health-check",
      te: "trailers",
    });
    let [httpStatus, grpcStatus]: (number | null)[] = [null, null];
    const readStatus = (headers: IncomingHttpHeaders & IncomingHttpStatusHeader) => {
      const status = headers["grpc-status"];
      if (typeof status === "string" && /^\d+$/.test(status)) grpcStatus = Number(status);
      httpStatus = headers[":status"] ?? httpStatus ?? null;
    };
    const chunks: Buffer[] = [];
    let length = 0;
    stream.on("response", readStatus);
    stream.on("trailers", readStatus);
    stream.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length <= MAX_REPLY_BYTES) chunks.push(chunk);
      else end(() => reject(new Error("the answer is too long")));
    });
    stream.on("error", (error) => end(() => reject(error)));
    stream.on("end", () => {
      if (httpStatus !== 200) end(() => reject(new Error(`no gRPC: HTTP status ${httpStatus}`)));
      else
        end(() => resolve({ grpcStatus: grpcStatus ?? null, servingStatus: parseHealthReply(Buffer.concat(chunks)) }));
    });
    stream.end(REQUEST);
  });
}
