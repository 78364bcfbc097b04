// The answers of errors, each set of codes described once: most operations share most of them.
import { Problem } from "#schema/api/operation";
import { ERROR_STATUS, type ErrorCode } from "#schema/errors";
import { PROBLEM_TITLES, toProblem } from "../problem.ts";
import type { SchemaObjects } from "./schema-objects.ts";

export interface ProblemResponses {
  /** By status, a reference to the description of the codes that have it. */
  of(codes: readonly ErrorCode[]): Record<string, object>;
  components(): { readonly responses: Record<string, object>; readonly examples: Record<string, object> };
}

export function createProblemResponses(schemas: SchemaObjects): ProblemResponses {
  const responses = new Map<string, object>();
  const examples = new Map<ErrorCode, object>();
  return {
    of(codes) {
      const byStatus = Map.groupBy(codes, (code) => ERROR_STATUS[code]);
      return Object.fromEntries([...byStatus].map(([status, same]) => [status, refer(status, same)]));
    },
    components: () => ({ responses: Object.fromEntries(responses), examples: Object.fromEntries(examples) }),
  };

  function refer(status: number, codes: readonly ErrorCode[]): object {
    for (const code of codes) examples.set(code, describeExample(code));
    const name = codes.join("-");
    responses.set(name, {
      description: codes.map((code) => `- \`${code}\`: ${PROBLEM_TITLES[code]}.`).join("\n"),
      headers: {
        "X-Request-Id": { $ref: "#/components/headers/RequestId" },
        ...(status === 401 ? { "WWW-Authenticate": { $ref: "#/components/headers/WwwAuthenticate" } } : {}),
        ...(status === 429 || status === 503 ? { "Retry-After": { $ref: "#/components/headers/RetryAfter" } } : {}),
      },
      content: {
        "application/problem+json": {
          schema: schemas.of(Problem),
          examples: Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
        },
      },
    });
    return { $ref: `#/components/responses/${name}` };
  }
}

/** The document as it is answered. */
function describeExample(code: ErrorCode): object {
  const value = toProblem({ code }, "req_01kaqx4d8e6v2m9t7w3hncz5rb");
  return { summary: value.title, value };
}
