// The OpenAPI 3.1 document of /api/v1, made of the operations of schema/api and of nothing else.
import { type Operation, TAGS } from "#schema/api/operation";
import { describeOperation, type SharedParts } from "./describe-operation.ts";
import { createProblemResponses } from "./problem-responses.ts";
import { createSchemaObjects } from "./schema-objects.ts";

const DESCRIPTION = `Meshes, machines, what is behind them, and who may change that.

- Requests carry \`Authorization: Bearer\` and an API token; those of browsers the cookie of a session. A role may do what the roles below it may: owner, admin, viewer.
- Lists come in pages, oldest first (audit and link events: newest first). Pass \`nextCursor\` as \`cursor\` for the next one.
- What a machine says of its links (peers, endpoints, network) is asked of it when you ask: 503 \`machine_offline\` when it is not connected, 504 \`machine_silent\` when it is and does not answer.
- An error is a problem document (RFC 9457) with a \`code\` that never changes its meaning, and a \`requestId\`.
- Creates take an \`Idempotency-Key\`: sent again, they answer as they did and change nothing.`;

export function renderOpenApi(operations: readonly Operation[]): string {
  const schemas = createSchemaObjects();
  const parts: SharedParts = { schemas, problems: createProblemResponses(schemas) };
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of operations) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: describeOperation(operation, parts) };
  }
  return JSON.stringify({
    openapi: "3.1.0",
    info: {
      title: "Becket API",
      version: "1",
      description: DESCRIPTION,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/api/v1" }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: schemas.components(),
      securitySchemes: {
        apiToken: {
          type: "http",
          scheme: "bearer",
          description: "An API token (`bkt_…`), or the owner's built-in token.",
        },
        session: {
          type: "apiKey",
          in: "cookie",
          name: "__Host-becket_session",
          description:
            "A browser that somebody is signed in with; `becket_session` on plain http. Whatever is no GET also needs the header Origin " +
            "of this control plane, which browsers set by themselves.",
        },
      },
      parameters: { IdempotencyKey },
      headers: HEADERS,
      ...parts.problems.components(),
    },
  });
}

const IdempotencyKey = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  description:
    "Any text of 1 to 255 visible ASCII characters, new for each create, like a UUID. For 24 hours the same key with the same request and " +
    "token gets the first success again; only successes are kept.",
  schema: { type: "string", minLength: 1, maxLength: 255, pattern: "^[\\x21-\\x7e]+$" },
};

const HEADERS = {
  RequestId: {
    description: "The request's id, as in a problem's `requestId`, in audit events and in the control plane's log.",
    schema: { type: "string" },
    example: "req_01kaqx4d8e6v2m9t7w3hncz5rb",
  },
  IdempotencyReplayed: {
    description: "`true` when this is the answer of an earlier request with the same Idempotency-Key; else not there.",
    schema: { type: "string", enum: ["true"] },
  },
  RetryAfter: {
    description: "Seconds after which to try again.",
    schema: { type: "integer", minimum: 0 },
    example: 1,
  },
  WwwAuthenticate: {
    description: "The scheme that is needed (RFC 9110).",
    schema: { type: "string" },
    example: 'Bearer realm="becket"',
  },
};
