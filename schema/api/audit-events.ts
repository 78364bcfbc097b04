import { z } from "zod";
import { AuditEventId } from "../ids.ts";
import { defineOperation, PageQuery, pageOf } from "./operation.ts";

/** Who: an API token, the owner's built-in token, a machine (enrolment), or the control plane itself. */
export const Actor = z.object({
  kind: z.enum(["api_token", "owner_token", "join_token", "machine", "system"]),
  /** The id of the token or machine; null for the owner's built-in token and the system. */
  id: z.string().nullable(),
  name: z.string(),
});
export type Actor = z.infer<typeof Actor>;

/** noun.verb in the past: what happened. */
export const AuditAction = z.enum([
  "mesh.created",
  "mesh.updated",
  "mesh.deleted",
  "member.added",
  "member.removed",
  "machine.enrolled",
  "machine.updated",
  "machine.removed",
  "join_token.created",
  "join_token.revoked",
  "api_token.created",
  "api_token.revoked",
]);
export type AuditAction = z.infer<typeof AuditAction>;

export const AuditEvent = z.object({
  id: AuditEventId,
  at: z.iso.datetime(),
  actor: Actor,
  action: AuditAction,
  /** The id of the thing that changed. */
  subjectId: z.string(),
  /** The mesh it happened in, where there is one. */
  meshId: z.string().nullable(),
  /** What changed, in the API's own words; never a secret. */
  details: z.record(z.string(), z.unknown()),
  requestId: z.string(),
});
export type AuditEvent = z.infer<typeof AuditEvent>;

export const listAuditEvents = defineOperation({
  id: "listAuditEvents",
  tag: "audit-events",
  method: "get",
  path: "/audit-events",
  summary: "List audit events, newest first",
  role: "viewer",
  query: PageQuery.extend({
    action: AuditAction.optional(),
    meshId: z.string().max(64).optional(),
    subjectId: z.string().max(64).optional(),
  }),
  status: 200,
  reply: pageOf(AuditEvent),
  errors: ["cursor_invalid"],
});
