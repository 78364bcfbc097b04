// What the front answers by itself: problem documents as the Worker's (RFC 9457), for requests that never get there.
import { randomBytes } from "node:crypto";
import { type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { Problem } from "#schema/api/operation";
import { ERROR_STATUS } from "#schema/errors";
import { renderUlid } from "#schema/ids";

export type FrontFailure =
  | { readonly code: "bad_request" | "body_too_large"; readonly detail: string }
  | { readonly code: "not_found" | "method_not_allowed" | "request_timeout" | "headers_too_large" | "unavailable" };

const TITLES: Readonly<Record<FrontFailure["code"], string>> = {
  bad_request: "The request cannot be understood",
  body_too_large: "The body is too large",
  not_found: "There is nothing at this address",
  method_not_allowed: "This method is not allowed here",
  request_timeout: "The request did not come in time",
  headers_too_large: "The request's headers are too large",
  unavailable: "Not available at the moment; try again",
};

/** The connection ends with it: what else the client sent may not be what it seems. */
export function answerProblem(response: ServerResponse, failure: FrontFailure): void {
  const { status, headers, body } = render(failure);
  response.writeHead(status, { ...headers, connection: "close" }).end(body);
}

/** Where there is no request yet to answer. */
export function writeProblem(socket: Duplex, failure: FrontFailure): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { status, headers, body } = render(failure);
  const lines = Object.entries({ ...headers, date: new Date().toUTCString(), connection: "close" });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head}\r\n${body}`, () => socket.destroy());
}

function render(failure: FrontFailure) {
  const { code } = failure;
  const status = ERROR_STATUS[code];
  const requestId = `req_${renderUlid(Date.now(), randomBytes(16))}`;
  const problem: Problem = {
    type: `urn:becket:problem:${code}`,
    title: TITLES[code],
    status,
    ...("detail" in failure ? { detail: failure.detail } : {}),
    code,
    requestId,
  };
  const body = JSON.stringify(problem);
  const headers = {
    "content-type": "application/problem+json",
    "content-length": String(Buffer.byteLength(body)),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-request-id": requestId,
    ...(status === 503 ? { "retry-after": "1" } : {}),
  };
  return { status, headers, body };
}
