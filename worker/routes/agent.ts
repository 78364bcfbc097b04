// /agent/v1: enrolment, and the way of authenticated machines to their objects. The request to an object is built anew: the only
// headers in it are those listed here and the trusted ones, so nothing that a client sent under a trusted name gets through.
import { Hono, type HonoRequest } from "hono";
import { MeshId } from "#schema/ids";
import { MAX_MACHINE_MESSAGE_BYTES } from "#schema/limits";
import { err, ok, type Result } from "#schema/result";
import { AGENT_PATHS, EnrolmentRequest, type MachineClaims } from "#schema/wire/enrolment";
import { parseBearer } from "../auth/caller.ts";
import { verifyMachineToken } from "../auth/machine-token.ts";
import { TRUSTED_HEADERS } from "../auth/trusted-headers.ts";
import { enrolMachine } from "../enrolment/enrol-machine.ts";
import type { Failure } from "../failure.ts";
import { readJson, readText } from "../middleware/read-body.ts";
import { toProblemResponse } from "../problem.ts";
import type { Services } from "../services.ts";
import { type RequestEnv, toValidationFailure } from "./mount-operation.ts";

/** What an upgrade (RFC 6455 section 4.1) and a message need; everything else stays behind. */
const FORWARDED_HEADERS = [
  "upgrade",
  "connection",
  "sec-websocket-key",
  "sec-websocket-version",
  "sec-websocket-protocol",
  "sec-websocket-extensions",
  "content-type",
  "user-agent",
];

interface Forwarding {
  readonly claims: MachineClaims;
  readonly requestId: string;
}

export function createAgentApi(services: Services): Hono<RequestEnv> {
  const agent = new Hono<RequestEnv>();
  const refuseMethod = (allow: string) => (context: { env: RequestEnv["Bindings"] }) =>
    toProblemResponse({ code: "method_not_allowed" }, context.env.requestId, { allow });

  agent.post(AGENT_PATHS.enrolments, async (context) => {
    const { requestId } = context.env;
    const enrolled = await services.failureLimit.guard(context.req.raw.headers, async () => {
      const request = await parseEnrolment(context.req.raw);
      return request.ok ? enrolMachine(services, request.value, requestId) : request;
    });
    if (!enrolled.ok) return toProblemResponse(enrolled.error, requestId);
    const { isNew, ...reply } = enrolled.value;
    return Response.json(reply, { status: isNew ? 201 : 200 });
  });
  agent.all(AGENT_PATHS.enrolments, refuseMethod("POST"));

  agent.on(["GET", "POST"], AGENT_PATHS.machineSync, async (context) => {
    const { requestId } = context.env;
    const claims = await authenticate(services, context.req);
    if (!claims.ok) return toProblemResponse(claims.error, requestId);
    const object = services.objects.machine(claims.value.iss);
    return forward(context.req.raw, object, { claims: claims.value, requestId });
  });
  agent.all(AGENT_PATHS.machineSync, refuseMethod("GET, POST"));

  agent.on(["GET", "POST"], AGENT_PATHS.meshSync(":meshId"), async (context) => {
    const { requestId } = context.env;
    const claims = await authenticate(services, context.req);
    if (!claims.ok) return toProblemResponse(claims.error, requestId);
    const meshId = MeshId.safeParse(context.req.param("meshId"));
    if (!meshId.success) return toProblemResponse({ code: "mesh_not_found" }, requestId);
    return forward(context.req.raw, services.objects.mesh(meshId.data), { claims: claims.value, requestId });
  });
  agent.all(AGENT_PATHS.meshSync(":meshId"), refuseMethod("GET, POST"));
  return agent;
}

async function parseEnrolment(request: Request): Promise<Result<EnrolmentRequest, Failure>> {
  const json = await readJson(request, MAX_MACHINE_MESSAGE_BYTES);
  if (!json.ok) return json;
  const parsed = EnrolmentRequest.safeParse(json.value);
  if (parsed.success) return ok(parsed.data);
  // A text that cannot be a join token is one that does not exist, as far as its holder is concerned.
  const isOnlyToken = parsed.error.issues.every(({ path, code }) => path[0] === "token" && code === "invalid_format");
  return err(isOnlyToken ? { code: "join_token_invalid" } : toValidationFailure(parsed.error, "body"));
}

function authenticate(services: Services, request: HonoRequest) {
  const { origin, pathname } = new URL(request.url);
  return services.failureLimit.guard(request.raw.headers, () =>
    verifyMachineToken(services, {
      token: parseBearer(request.header("authorization") ?? null),
      method: request.method,
      path: pathname,
      origin: services.origin ?? origin,
    }),
  );
}

async function forward(
  request: Request,
  object: { fetch(request: Request): Promise<Response> },
  { claims, requestId }: Forwarding,
): Promise<Response> {
  const headers = new Headers();
  for (const name of FORWARDED_HEADERS) {
    const value = request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
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
