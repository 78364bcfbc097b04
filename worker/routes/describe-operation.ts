import type { RouteConfig } from "@hono/zod-openapi";
import { z } from "zod";
import { type Operation, Problem } from "#schema/api/operation";
import { ERROR_STATUS, type ErrorCode } from "#schema/errors";
import { PROBLEM_TITLES } from "../problem.ts";

/** Codes that any operation may answer, besides its own. */
const COMMON_ERRORS: readonly ErrorCode[] = [
  "unauthenticated",
  "api_token_expired",
  "forbidden",
  "validation_failed",
  "internal_error",
  "unavailable",
];
const BODY_ERRORS: readonly ErrorCode[] = ["malformed_json", "body_too_large", "unsupported_media_type"];
const IDEMPOTENCY_ERRORS: readonly ErrorCode[] = ["idempotency_in_progress", "idempotency_key_reused"];

export function describeOperation(operation: Operation): RouteConfig {
  const { params, query, body, reply, status } = operation;
  const headers = operation.isIdempotencyKeyAccepted
    ? { headers: z.object({ "Idempotency-Key": IdempotencyKey }) }
    : {};
  const success = reply === undefined ? {} : { content: { "application/json": { schema: reply } } };
  return {
    method: operation.method,
    path: operation.path,
    operationId: operation.id,
    tags: [operation.tag],
    summary: operation.summary,
    description: `Needs the role ${operation.role}.`,
    security: [{ apiToken: [] }],
    request: {
      ...(params === undefined ? {} : { params }),
      ...(query === undefined ? {} : { query }),
      ...(body === undefined ? {} : { body: { required: true, content: { "application/json": { schema: body } } } }),
      ...headers,
    },
    responses: { [status]: { description: "Success", ...success }, ...describeErrors(operation) },
  };
}

const IdempotencyKey = z
  .string()
  .max(255)
  .optional()
  .describe("The same key with the same request gets the first answer again, for 24 h.");

function describeErrors(operation: Operation): RouteConfig["responses"] {
  const codes = [
    ...COMMON_ERRORS,
    ...(operation.body === undefined ? [] : BODY_ERRORS),
    ...(operation.isIdempotencyKeyAccepted ? IDEMPOTENCY_ERRORS : []),
    ...operation.errors,
  ];
  const byStatus = Map.groupBy(new Set(codes), (code) => ERROR_STATUS[code]);
  return Object.fromEntries(
    [...byStatus].map(([status, same]) => [
      status,
      {
        description: same.map((code) => `\`${code}\`: ${PROBLEM_TITLES[code]}`).join("\n\n"),
        content: { "application/problem+json": { schema: Problem } },
      },
    ]),
  );
}
