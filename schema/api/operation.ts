// One shape for every operation of /api/v1. The Worker mounts, validates and documents from it; clients parse replies with it.
import { z } from "zod";
import { ERROR_STATUS, type ErrorCode } from "../errors.ts";

/** The resources, in the order in which the reference shows them. */
export const TAGS = {
  meshes: "Private networks with a name and an address range.",
  members: "Which machines are in a mesh, and with which addresses.",
  routes: "Networks behind members, which they announce into a mesh.",
  vips: "Addresses of a mesh that one of several members holds.",
  "policy-sets": "Ordered rules that accept, reject or change routes.",
  machines: "The hosts that enrolled.",
  rollouts: "Upgrades of agents, a few machines at a time.",
  "join-tokens": "Secrets with which machines enrol.",
  "api-tokens": "Secrets with which scripts use this API.",
  "sign-in": "How people sign in and out, and who calls.",
  users: "People, and the browsers that they are signed in with.",
  "audit-events": "Who changed what, and when.",
} as const;
export type Tag = keyof typeof TAGS;

export const Role = z.enum(["owner", "admin", "viewer"]).meta({
  id: "Role",
  description:
    "viewer reads; admin also changes meshes, routes, VIPs, policy sets, machines and join tokens; owner also manages users, sign-in links and API tokens.",
  examples: ["viewer"],
});
export type Role = z.infer<typeof Role>;

export interface Operation {
  /** operationId, verb and noun: `createMesh`. */
  readonly id: string;
  readonly tag: Tag;
  readonly method: "get" | "post" | "patch" | "delete";
  /** Below /api/v1, parameters in braces: `/meshes/{meshId}`. */
  readonly path: string;
  readonly summary: string;
  /** What the summary leaves out. */
  readonly description?: string;
  /** The least role that may call it; `anyone` needs no authentication. */
  readonly role: Role | "anyone";
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodObject;
  /** 101: it becomes a WebSocket. */
  readonly status: 101 | 200 | 201 | 204;
  /** Absent with 101 and 204. */
  readonly reply?: z.ZodObject;
  /** Accepts Idempotency-Key. */
  readonly isIdempotencyKeyAccepted?: true;
  /** Codes it answers besides those that every operation may answer. */
  readonly errors: readonly ErrorCode[];
}

export const defineOperation = <const T extends Operation>(operation: T): T => operation;

export const Problem = z
  .object({
    type: z.string().meta({
      description: "A URN made of the code.",
      examples: ["urn:becket:problem:validation_failed"],
    }),
    title: z.string().meta({ description: "What the code means, for people.", examples: ["The request is not valid"] }),
    status: z
      .number()
      .int()
      .meta({ description: "The HTTP status.", examples: [422] }),
    detail: z
      .string()
      .optional()
      .meta({
        description: "What is wrong with this request, for people.",
        examples: ["cidr: must be a network of /8 to /30"],
      }),
    code: z.enum(Object.keys(ERROR_STATUS) as [ErrorCode, ...ErrorCode[]]).meta({
      id: "ErrorCode",
      description: "What is wrong, for programs. A code never changes its meaning; there may be new ones.",
      examples: ["validation_failed"],
    }),
    requestId: z.string().meta({
      description: "The request's id, as in the header X-Request-Id and in the control plane's log.",
      examples: ["req_01kaqx4d8e6v2m9t7w3hncz5rb"],
    }),
    errors: z
      .array(
        z.object({
          path: z.string().meta({ description: "The field, dotted: `meshIds.0`.", examples: ["cidr"] }),
          message: z
            .string()
            .meta({ description: "What is wrong with it.", examples: ["must be a network of /8 to /30"] }),
        }),
      )
      .optional()
      .describe("The fields at fault, where fields are."),
  })
  .meta({ id: "Problem", description: "A problem document (RFC 9457), of the type application/problem+json." });
export type Problem = z.infer<typeof Problem>;

export const PageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(100).describe("The most items that a page may have."),
  cursor: z.string().max(128).optional().describe("`nextCursor` of the page before; the first page without it."),
});

/** @param id names the page's schema in the API's document: `MeshPage` */
export const pageOf = <T extends z.ZodType>(item: T, id: string) =>
  z
    .object({
      items: z.array(item).describe("At most `limit` of them."),
      nextCursor: z
        .string()
        .nullable()
        .meta({
          description: "Opaque: pass it as `cursor` for the next page; null on the last one.",
          examples: [null],
        }),
    })
    .meta({ id, description: "One page of a list." });
