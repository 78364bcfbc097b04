import { z } from "zod";
import { AuditEventId } from "../ids.ts";
import { Timestamp } from "../timestamp.ts";
import { defineOperation, PageQuery, pageOf } from "./operation.ts";

export const Actor = z
  .object({
    kind: z.enum(["user", "api_token", "owner_token", "join_token", "machine", "system"]).meta({
      description:
        "A person who is signed in; an API token; the owner's built-in token; a join token (enrolment); a machine; or the control plane itself.",
      examples: ["api_token"],
    }),
    id: z
      .string()
      .nullable()
      .meta({
        description: "The id of the user, token or machine; null for the owner's built-in token and the control plane.",
        examples: ["atk_01kaqx4d8e6v2m9t7w3hncz5rb"],
      }),
    name: z.string().meta({ description: "Its name at that time.", examples: ["backup script"] }),
  })
  .meta({ id: "Actor", description: "Who did it." });
export type Actor = z.infer<typeof Actor>;

export const AuditAction = z
  .enum([
    "mesh.created",
    "mesh.updated",
    "mesh.deleted",
    "relay_key.replaced",
    "member.added",
    "member.removed",
    "route.created",
    "route.updated",
    "route.deleted",
    "vip.created",
    "vip.updated",
    "vip.deleted",
    "policy_set.created",
    "policy_set.updated",
    "policy_set.deleted",
    "machine.enrolled",
    "machine.updated",
    "key_replacement.requested",
    "identity_key.replaced",
    "machine.removed",
    "machine.upgraded",
    "machine.upgrade_failed",
    "rollout.started",
    "rollout.paused",
    "rollout.resumed",
    "rollout.cancelled",
    "join_token.created",
    "join_token.revoked",
    "api_token.created",
    "api_token.revoked",
    "user.created",
    "user.updated",
    "user.removed",
    "session.created",
    "session.revoked",
    "login_link.created",
    "control_plane.restored",
  ])
  .meta({
    id: "AuditAction",
    description: "What happened: a noun, and a verb in the past.",
    examples: ["mesh.created"],
  });
export type AuditAction = z.infer<typeof AuditAction>;

export const AuditEvent = z
  .object({
    id: AuditEventId,
    at: Timestamp.describe("When it happened."),
    actor: Actor,
    action: AuditAction,
    subjectId: z
      .string()
      .meta({ description: "The id of what changed.", examples: ["msh_01kaqx4d8e6v2m9t7w3hncz5rb"] }),
    meshId: z
      .string()
      .nullable()
      .meta({
        description: "The mesh it happened in; null where there is none.",
        examples: ["msh_01kaqx4d8e6v2m9t7w3hncz5rb"],
      }),
    details: z.record(z.string(), z.unknown()).meta({
      description: "What changed, in the API's own words; never a secret.",
      examples: [{ name: "office" }],
    }),
    requestId: z.string().meta({
      description: "The request that changed it: the X-Request-Id of its answer.",
      examples: ["req_01kaqx4d8e6v2m9t7w3hncz5rb"],
    }),
  })
  .meta({ id: "AuditEvent", description: "One change: who, what, when." });
export type AuditEvent = z.infer<typeof AuditEvent>;

export const listAuditEvents = defineOperation({
  id: "listAuditEvents",
  tag: "audit-events",
  method: "get",
  path: "/audit-events",
  summary: "List audit events, newest first",
  role: "viewer",
  query: PageQuery.extend({
    action: AuditAction.optional().describe("Only events of this action."),
    meshId: z.string().max(64).optional().describe("Only what happened in this mesh."),
    subjectId: z.string().max(64).optional().describe("Only what happened to the thing with this id."),
    actorId: z.string().max(64).optional().describe("Only what the user, token or machine with this id did."),
  }),
  status: 200,
  reply: pageOf(AuditEvent, "AuditEventPage"),
  errors: ["cursor_invalid"],
});
