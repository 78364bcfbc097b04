// How a machine's request gets to its object: authenticated, and built anew. The only headers in it are those listed here and the trusted
// ones, so nothing that a client sent under a trusted name gets through.
import type { HonoRequest } from "hono";
import { MAX_MACHINE_MESSAGE_BYTES } from "#schema/limits";
import type { Result } from "#schema/result";
import type { MachineClaims } from "#schema/wire/enrolment";
import { RELAY_TICKET_HEADER } from "#schema/wire/relay";
import { parseBearer } from "../auth/caller.ts";
import {
  type MachineRequest,
  type MachineTokenFailure,
  readIssuer,
  verifyMachineToken,
} from "../auth/machine-token.ts";
import { TRUSTED_HEADERS } from "../auth/trusted-headers.ts";
import type { Failure } from "../failure.ts";
import { readText } from "../middleware/read-body.ts";
import { toProblemResponse } from "../problem.ts";
import type { Services } from "../services.ts";

/** What an upgrade (RFC 6455 section 4.1), a relay and a message need; everything else stays behind. */
const FORWARDED_HEADERS = [
  "upgrade",
  "connection",
  "sec-websocket-key",
  "sec-websocket-version",
  "sec-websocket-protocol",
  "sec-websocket-extensions",
  "content-type",
  "user-agent",
  RELAY_TICKET_HEADER,
];

interface Forwarding {
  readonly claims: MachineClaims;
  readonly requestId: string;
}

export const authenticateMachine = (
  services: Services,
  request: HonoRequest,
): Promise<Result<MachineClaims, MachineTokenFailure | Failure<"rate_limited">>> =>
  guardMachine(services, request, (token) => verifyMachineToken(services, token));

/** Within the limit of failed attempts: `attempt` finds out whether the request is the machine's. */
export function guardMachine<T, F extends Failure>(
  services: Services,
  request: HonoRequest,
  attempt: (token: MachineRequest) => Promise<Result<T, F>>,
): Promise<Result<T, F | Failure<"rate_limited">>> {
  const { origin, pathname } = new URL(request.url);
  const token = parseBearer(request.header("authorization") ?? null);
  return services.failureLimit.guard(
    request.raw.headers,
    () => attempt({ token, method: request.method, path: pathname, origin: services.origin ?? origin }),
    async () => readIssuer(token),
  );
}

export async function forwardToObject(
  request: Request,
  object: { fetch(request: Request): Promise<Response> },
  { claims, requestId }: Forwarding,
): Promise<Response> {
  const headers = pickHeaders(request.headers);
  headers.set(TRUSTED_HEADERS.machineId, claims.iss);
  headers.set(TRUSTED_HEADERS.tokenId, claims.jti);
  headers.set(TRUSTED_HEADERS.tokenIssuedAt, String(claims.iat));
  headers.set(TRUSTED_HEADERS.tokenExpiresAt, String(claims.exp));
  headers.set(TRUSTED_HEADERS.requestId, requestId);
  if (request.method !== "POST") return object.fetch(new Request(request.url, { method: request.method, headers }));
  const body = await readText(request, MAX_MACHINE_MESSAGE_BYTES);
  if (!body.ok) return toProblemResponse(body.error, requestId);
  return object.fetch(new Request(request.url, { method: "POST", headers, body: body.value }));
}

/** Only those that objects need. */
export function pickHeaders(from: Headers): Headers {
  const headers = new Headers();
  for (const name of FORWARDED_HEADERS) {
    const value = from.get(name);
    if (value !== null) headers.set(name, value);
  }
  return headers;
}
