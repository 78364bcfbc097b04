// /agent/v1: enrolment, and the way of authenticated machines to their objects.
import { Hono } from "hono";
import { MeshId } from "#schema/ids";
import { MAX_MACHINE_MESSAGE_BYTES } from "#schema/limits";
import { err, ok, type Result } from "#schema/result";
import { AGENT_PATHS, EnrolmentRequest } from "#schema/wire/enrolment";
import { enrolMachine } from "../enrolment/enrol-machine.ts";
import type { Failure } from "../failure.ts";
import { readJson } from "../middleware/read-body.ts";
import { toProblemResponse } from "../problem.ts";
import type { Services } from "../services.ts";
import { postIdentityKey } from "./identity-key.ts";
import { authenticateMachine, forwardToObject } from "./machine-request.ts";
import { type RequestEnv, toValidationFailure } from "./mount-operation.ts";
import { openRelay } from "./relay.ts";

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
    const claims = await authenticateMachine(services, context.req);
    if (!claims.ok) return toProblemResponse(claims.error, requestId);
    const object = services.objects.machine(claims.value.iss);
    return forwardToObject(context.req.raw, object, { claims: claims.value, requestId });
  });
  agent.all(AGENT_PATHS.machineSync, refuseMethod("GET, POST"));

  agent.post(AGENT_PATHS.identityKey, (context) => postIdentityKey(services, context));
  agent.all(AGENT_PATHS.identityKey, refuseMethod("POST"));

  agent.on(["GET", "POST"], AGENT_PATHS.meshSync(":meshId"), async (context) => {
    const { requestId } = context.env;
    const claims = await authenticateMachine(services, context.req);
    if (!claims.ok) return toProblemResponse(claims.error, requestId);
    const meshId = MeshId.safeParse(context.req.param("meshId"));
    if (!meshId.success) return toProblemResponse({ code: "mesh_not_found" }, requestId);
    return forwardToObject(context.req.raw, services.objects.mesh(meshId.data), { claims: claims.value, requestId });
  });
  agent.all(AGENT_PATHS.meshSync(":meshId"), refuseMethod("GET, POST"));

  agent.get(AGENT_PATHS.relay(":meshId", ":peerId"), (context) => openRelay(services, context));
  agent.all(AGENT_PATHS.relay(":meshId", ":peerId"), refuseMethod("GET"));
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
