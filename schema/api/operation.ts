// One shape for every operation of /api/v1. The Worker mounts, validates and documents from it; clients parse replies with it.
import { z } from "zod";
import type { ErrorCode } from "../errors.ts";

/** viewer reads; admin also changes meshes, machines and join tokens; owner also manages API tokens. */
export const Role = z.enum(["owner", "admin", "viewer"]);
export type Role = z.infer<typeof Role>;

export interface Operation {
  /** operationId, verb and noun: `createMesh`. */
  readonly id: string;
  readonly tag: string;
  readonly method: "get" | "post" | "patch" | "delete";
  /** Below /api/v1, parameters in braces: `/meshes/{meshId}`. */
  readonly path: string;
  readonly summary: string;
  /** The least role that may call it. */
  readonly role: Role;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodObject;
  readonly status: 200 | 201 | 204;
  /** Absent with 204. */
  readonly reply?: z.ZodObject;
  /** Accepts Idempotency-Key. */
  readonly isIdempotencyKeyAccepted?: true;
  /** Codes it answers besides those that every operation may answer. */
  readonly errors: readonly ErrorCode[];
}

export const defineOperation = <const T extends Operation>(operation: T): T => operation;

/** RFC 9457, media type application/problem+json. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string().optional(),
  code: z.string(),
  requestId: z.string(),
  /** The fields at fault, where fields are. `path` is dotted: `meshIds.0`. */
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});
export type Problem = z.infer<typeof Problem>;

export const PageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(100),
  /** Opaque: `nextCursor` of the page before. */
  cursor: z.string().max(128).optional(),
});

export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() });
