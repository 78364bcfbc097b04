// POST of a machine's next identity key: authenticated by a key that is known, or by those that took its place.
import type { Context } from "hono";
import { MAX_MACHINE_MESSAGE_BYTES } from "#schema/limits";
import { err, ok, type Result } from "#schema/result";
import { IdentityKeyRequest } from "#schema/wire/identity-key";
import { verifyMachineToken } from "../auth/machine-token.ts";
import { type ProvedSuccession, proveSuccession } from "../enrolment/prove-succession.ts";
import { replaceIdentityKey } from "../enrolment/replace-identity-key.ts";
import type { Failure } from "../failure.ts";
import { readJson } from "../middleware/read-body.ts";
import { toProblemResponse } from "../problem.ts";
import type { Services } from "../services.ts";
import { guardMachine } from "./machine-request.ts";
import { type RequestEnv, toValidationFailure } from "./mount-operation.ts";

export async function postIdentityKey(services: Services, context: Context<RequestEnv>): Promise<Response> {
  const { requestId } = context.env;
  const asked = await authenticate(services, context);
  if (!asked.ok) return toProblemResponse(asked.error, requestId);
  const replaced = await replaceIdentityKey(services, { ...asked.value, requestId });
  return replaced.ok ? Response.json(replaced.value) : toProblemResponse(replaced.error, requestId);
}

type Authenticated = ProvedSuccession & { readonly request: IdentityKeyRequest };

/** What is wrong with a body is told to the machine alone. */
function authenticate(services: Services, { req }: Context<RequestEnv>): Promise<Result<Authenticated, Failure>> {
  return guardMachine(services, req, async (token): Promise<Result<Authenticated, Failure>> => {
    const claims = await verifyMachineToken(services, token);
    if (!claims.ok && claims.error.code !== "signature_invalid") return claims;
    const request = await parseBody(req.raw);
    if (claims.ok)
      return request.ok ? ok({ machineId: claims.value.iss, formerKeys: [], request: request.value }) : request;
    if (!request.ok) return claims;
    const proved = await proveSuccession(services, token, request.value);
    return proved.ok ? ok({ ...proved.value, request: request.value }) : proved;
  });
}

async function parseBody(request: Request): Promise<Result<IdentityKeyRequest, Failure>> {
  const json = await readJson(request, MAX_MACHINE_MESSAGE_BYTES);
  if (!json.ok) return json;
  const parsed = IdentityKeyRequest.safeParse(json.value);
  return parsed.success ? ok(parsed.data) : err(toValidationFailure(parsed.error, "body"));
}
