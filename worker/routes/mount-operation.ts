// Mounts an operation of schema/api: authenticate, check the role, parse, run, answer. The operation is the only description:
// validation, types of the handler and the OpenAPI document all come from it.

import type { Hono } from "hono";
import type { z } from "zod";
import type { Operation } from "#schema/api/operation";
import { describeIssue } from "#schema/describe-issue";
import { MAX_API_BODY_BYTES } from "#schema/limits";
import { err, ok, type Result } from "#schema/result";
import { authenticateCaller, type Caller, isAllowed, readCredential } from "../auth/caller.ts";
import { originOf } from "../auth/origin.ts";
import type { Failure, FieldError } from "../failure.ts";
import { type IdempotentRequest, runOnce } from "../idempotency/run-once.ts";
import type { Answer } from "../idempotency/sealed-answer.ts";
import { readJson } from "../middleware/read-body.ts";
import type { Cause } from "../outbox/cause.ts";
import { toProblemResponse } from "../problem.ts";
import type { Services } from "../services.ts";

export interface RequestEnv {
  readonly Bindings: { readonly requestId: string };
}
export type Api = Hono<RequestEnv>;

type Parsed<S> = S extends z.ZodType ? z.output<S> : undefined;
type InputOf<O, Part extends string> = O extends { readonly [Key in Part]: infer S } ? Parsed<S> : undefined;

export interface Call<O extends Operation> {
  readonly params: InputOf<O, "params">;
  readonly query: InputOf<O, "query">;
  readonly body: InputOf<O, "body">;
  readonly caller: Caller;
  /** The control plane's public one. */
  readonly origin: string;
  /** Who asks for it, for the audit trail. */
  readonly cause: Cause;
}
export type ReplyOf<O extends Operation> = O extends { readonly reply: infer S extends z.ZodType } ? z.input<S> : null;
/** A handler answers what the operation declares, and fails only with codes that it declares, or `forbidden`. */
export type Handler<O extends Operation> = (
  call: Call<O>,
) => Promise<Result<ReplyOf<O>, Failure<O["errors"][number] | "forbidden">>>;

export function mountOperation<const O extends Operation>(
  api: Api,
  services: Services,
  operation: O,
  handler: Handler<O>,
): void {
  api.on(operation.method, toRoutePath(operation.path), async (context) => {
    const { requestId } = context.env;
    const outcome = await perform(context.req.raw, context.req.param());
    return outcome.ok ? toResponse(outcome.value) : toProblemResponse(outcome.error, requestId);

    async function perform(
      request: Request,
      pathParams: Record<string, string>,
    ): Promise<Result<Answer & { isRepeated?: boolean }, Failure>> {
      const caller = await authorize(services, operation, request);
      if (!caller.ok) return caller;
      const input = await parseInput(operation, request, pathParams);
      if (!input.ok) return input;
      const cause = { actor: caller.value.actor, requestId };
      const origin = originOf(services, request);
      const call = { ...input.value, caller: caller.value, origin, cause } as unknown as Call<O>;
      const run = async (): Promise<Result<Answer, Failure>> => {
        const result = await handler(call);
        return result.ok ? ok({ status: operation.status, body: result.value }) : result;
      };
      const idempotent = toIdempotentRequest(operation, request, { caller: caller.value, body: input.value.body });
      return idempotent === null ? run() : runOnce(services, idempotent, run);
    }
  });
}

/** Who calls, if that role may call this operation. */
export async function authorize(
  services: Services,
  operation: Operation,
  request: Request,
): Promise<Result<Caller, Failure>> {
  const credential = await readCredential(services, request);
  const authenticate = () => authenticateCaller(services, request);
  // Who shows nothing tries nothing, and nothing is looked up: a page that is opened before signing in asks three times.
  const caller =
    credential === null
      ? await authenticate()
      : await services.failureLimit.guard(request.headers, authenticate, async () => credential);
  if (!caller.ok || isAllowed(caller.value.role, operation.role)) return caller;
  return err({ code: "forbidden", detail: `this needs the role ${operation.role}` });
}

function toResponse({ status, body, isRepeated }: Answer & { isRepeated?: boolean }): Response {
  if (status === 204) return new Response(null, { status });
  return Response.json(body, { status, headers: isRepeated ? { "idempotency-replayed": "true" } : {} });
}

/** `/meshes/{meshId}` as hono writes it: `/meshes/:meshId`. */
export const toRoutePath = (path: string): string => path.replace(/\{(\w+)\}/g, ":$1");

interface Input {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

export async function parseInput(
  operation: Operation,
  request: Request,
  pathParams: Record<string, string>,
): Promise<Result<Input, Failure>> {
  const params = parsePart(operation.params, pathParams, "path");
  if (!params.ok) return params;
  const query = parsePart(operation.query, Object.fromEntries(new URL(request.url).searchParams), "query");
  if (!query.ok) return query;
  if (operation.body === undefined) return ok({ params: params.value, query: query.value, body: undefined });
  const json = await readJson(request, MAX_API_BODY_BYTES);
  if (!json.ok) return json;
  const body = parsePart(operation.body, json.value, "body");
  return body.ok ? ok({ params: params.value, query: query.value, body: body.value }) : body;
}

function parsePart(
  schema: z.ZodType | undefined,
  value: unknown,
  part: string,
): Result<unknown, Failure<"validation_failed">> {
  const parsed = schema?.safeParse(value);
  if (parsed === undefined || parsed.success) return ok(parsed?.data);
  return err(toValidationFailure(parsed.error, part));
}

/** @param part names what is at fault when no field is: `body` for a body that is no object */
export function toValidationFailure(error: z.ZodError, part: string): Failure<"validation_failed"> {
  const errors: FieldError[] = error.issues.map((issue) => ({
    path: issue.path.join(".") || part,
    message: describeIssue(issue),
  }));
  const detail = errors.map(({ path, message }) => `${path}: ${message}`).join("; ");
  return { code: "validation_failed", detail, errors };
}

function toIdempotentRequest(
  operation: Operation,
  request: Request,
  { caller, body }: { caller: Caller; body: unknown },
): IdempotentRequest | null {
  const key = request.headers.get("idempotency-key");
  if (operation.isIdempotencyKeyAccepted !== true || key === null) return null;
  return { key, caller, method: request.method, path: new URL(request.url).pathname, body };
}
