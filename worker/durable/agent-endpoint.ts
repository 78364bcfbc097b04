// The HTTP side of an object for its machines: WebSocket upgrade, long-poll GET, message POST, all on one path. The Worker has verified
// the machine's token; replays are refused here, because only the object sees every token that is used on it.
import { z } from "zod";
import type { ErrorCode } from "#schema/errors";
import { MachineId } from "#schema/ids";
import type { Result } from "#schema/result";
import { createReplayGuard } from "../auth/replay-guard.ts";
import { TRUSTED_HEADERS } from "../auth/trusted-headers.ts";
import type { Failure } from "../failure.ts";
import { toProblemResponse } from "../problem.ts";

export interface AgentEndpoint {
  /** Null when this machine may talk to the object. */
  refusalOf(machineId: MachineId): Failure | null;
  openSocket(machineId: MachineId): Result<Response, Failure>;
  /** Texts of messages; held until there is one or the time is over. */
  poll(machineId: MachineId, query: URLSearchParams): Promise<Result<readonly string[], Failure>>;
  post(machineId: MachineId, body: string): Result<readonly string[], Failure>;
}

const TrustedRequest = z.object({
  machineId: MachineId,
  tokenId: z.string().min(1),
  issuedAt: z.coerce.number(),
  expiresAt: z.coerce.number(),
});

export function createAgentHandler(
  endpoint: AgentEndpoint,
  now: () => number,
): (request: Request) => Promise<Response> {
  const replays = createReplayGuard(now());

  async function answer(request: Request): Promise<Response | Failure> {
    const trusted = parseTrustedHeaders(request.headers);
    if (trusted === null) return { code: "unauthenticated" };
    // Read before anything is decided, so that nothing happens between the decision and what it allows. The Worker has bounded it.
    const body = request.method === "POST" ? await request.text() : "";
    // First whether it may talk at all, so that the memory of tokens grows only with machines that belong here.
    const refusal = endpoint.refusalOf(trusted.machineId) ?? toFailure(replays.check(trusted, now()));
    if (refusal !== null) return refusal;
    const isUpgrade = request.headers.get("upgrade")?.toLowerCase() === "websocket";
    if (isUpgrade && request.method === "GET") {
      return unwrap(endpoint.openSocket(trusted.machineId), (response) => response);
    }
    if (request.method === "POST") {
      return unwrap(endpoint.post(trusted.machineId, body), toBatchResponse);
    }
    if (request.method === "GET") {
      return unwrap(await endpoint.poll(trusted.machineId, new URL(request.url).searchParams), toBatchResponse);
    }
    return { code: "method_not_allowed" };
  }

  return async (request) => {
    const outcome = await answer(request);
    if (outcome instanceof Response) return outcome;
    return toProblemResponse(outcome, request.headers.get(TRUSTED_HEADERS.requestId) ?? "");
  };
}

/** Query parameters by a schema; the first fault names its parameter. */
export function parseQuery<T>(schema: z.ZodType<T>, query: URLSearchParams): Result<T, Failure> {
  const parsed = schema.safeParse(Object.fromEntries(query));
  if (parsed.success) return { ok: true, value: parsed.data };
  const errors = parsed.error.issues.map(({ path, message }) => ({ path: path.join("."), message }));
  return { ok: false, error: { code: "validation_failed", errors } };
}

const toFailure = (code: ErrorCode | null): Failure | null => (code === null ? null : { code });

const unwrap = <T>(result: Result<T, Failure>, toResponse: (value: T) => Response): Response | Failure =>
  result.ok ? toResponse(result.value) : result.error;

const toBatchResponse = (texts: readonly string[]): Response =>
  new Response(`{"messages":[${texts.join(",")}]}`, { headers: { "content-type": "application/json" } });

/** Null when the Worker did not set them. */
export function parseTrustedHeaders(headers: Headers): z.infer<typeof TrustedRequest> | null {
  const parsed = TrustedRequest.safeParse({
    machineId: headers.get(TRUSTED_HEADERS.machineId),
    tokenId: headers.get(TRUSTED_HEADERS.tokenId),
    issuedAt: headers.get(TRUSTED_HEADERS.tokenIssuedAt),
    expiresAt: headers.get(TRUSTED_HEADERS.tokenExpiresAt),
  });
  return parsed.success ? parsed.data : null;
}
