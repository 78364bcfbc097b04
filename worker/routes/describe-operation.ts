// One operation as OpenAPI describes it.
import type { z } from "zod";
import { type Operation, Role } from "#schema/api/operation";
import type { ErrorCode } from "#schema/errors";
import { isAllowed } from "../auth/caller.ts";
import type { ProblemResponses } from "./problem-responses.ts";
import type { SchemaObjects } from "./schema-objects.ts";

/** Codes that any operation may answer, besides its own. */
const COMMON_ERRORS: readonly ErrorCode[] = ["rate_limited", "validation_failed", "internal_error", "unavailable"];
const CALLER_ERRORS: readonly ErrorCode[] = ["unauthenticated", "api_token_expired", "forbidden"];
const BODY_ERRORS: readonly ErrorCode[] = ["malformed_json", "body_too_large", "unsupported_media_type"];
const IDEMPOTENCY_ERRORS: readonly ErrorCode[] = ["idempotency_in_progress", "idempotency_key_reused"];

/** Every code that the operation may answer, once. */
export function listErrorCodes(operation: Operation): readonly ErrorCode[] {
  const codes = new Set([
    ...COMMON_ERRORS,
    ...(operation.role === "anyone" ? [] : CALLER_ERRORS),
    ...(operation.method === "get" ? [] : (["origin_mismatched"] as const)),
    ...(operation.body === undefined ? [] : BODY_ERRORS),
    ...(operation.isIdempotencyKeyAccepted ? IDEMPOTENCY_ERRORS : []),
    ...operation.errors,
  ]);
  return [...codes];
}

export interface SharedParts {
  readonly schemas: SchemaObjects;
  readonly problems: ProblemResponses;
}

export function describeOperation(operation: Operation, { schemas, problems }: SharedParts): object {
  const { body, role } = operation;
  const roles = Role.options.filter((other) => isAllowed(other, role));
  const needs = role === "anyone" ? "Needs no authentication." : `Needs the role ${roles.join(" or ")}.`;
  return {
    operationId: operation.id,
    tags: [operation.tag],
    summary: operation.summary,
    description: operation.description === undefined ? needs : `${operation.description}\n\n${needs}`,
    security: role === "anyone" ? [] : [{ apiToken: [] }, { session: [] }],
    parameters: describeParameters(operation, schemas),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { "application/json": { schema: schemas.of(body) } } } }),
    responses: { [operation.status]: describeSuccess(operation, schemas), ...problems.of(listErrorCodes(operation)) },
  };
}

function describeParameters({ params, query, isIdempotencyKeyAccepted }: Operation, schemas: SchemaObjects): object[] {
  const parameters = (place: "path" | "query", fields: z.ZodObject | undefined) =>
    Object.entries(fields?.shape ?? {}).map(([name, field]) => {
      const { description, ...schema } = schemas.of(field, place === "query" ? "output" : "input");
      const required = place === "path" || !field.safeParse(undefined).success;
      return { name, in: place, required, ...(description === undefined ? {} : { description }), schema };
    });
  return [
    ...parameters("path", params),
    ...parameters("query", query),
    ...(isIdempotencyKeyAccepted ? [{ $ref: "#/components/parameters/IdempotencyKey" }] : []),
  ];
}

function describeSuccess({ status, reply, isIdempotencyKeyAccepted }: Operation, schemas: SchemaObjects): object {
  return {
    description: {
      101: "The connection is a WebSocket from here on.",
      200: "Done.",
      201: "Created.",
      204: "Done; the answer has no body.",
    }[status],
    headers: {
      "X-Request-Id": { $ref: "#/components/headers/RequestId" },
      ...(isIdempotencyKeyAccepted
        ? { "Idempotency-Replayed": { $ref: "#/components/headers/IdempotencyReplayed" } }
        : {}),
    },
    ...(reply === undefined ? {} : { content: { "application/json": { schema: schemas.of(reply) } } }),
  };
}
