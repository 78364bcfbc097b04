import { z } from "zod";
import { JoinTokenId, MeshId } from "../ids.ts";
import { JoinToken as JoinTokenSecret } from "../wire/enrolment.ts";
import { defineOperation, PageQuery, pageOf } from "./operation.ts";

const tag = "join-tokens";
const params = z.object({ joinTokenId: JoinTokenId });
const YEAR_SECONDS = 365 * 86_400;

export const CreateJoinToken = z.object({
  expiresInSeconds: z.number().int().min(60).max(YEAR_SECONDS).default(600),
  /** Machines that may enrol with it; null: as many as like until it expires. */
  maxUses: z.number().int().min(1).max(100_000).nullable().default(null),
  /** The meshes that its machines join; the default mesh when left out, none when empty. */
  meshIds: z.array(MeshId).max(32).optional(),
});
export type CreateJoinToken = z.infer<typeof CreateJoinToken>;

export const JoinToken = z.object({
  id: JoinTokenId,
  status: z.enum(["active", "expired", "used_up", "revoked"]),
  expiresAt: z.iso.datetime(),
  maxUses: z.number().int().nullable(),
  uses: z.number().int(),
  meshIds: z.array(MeshId).nullable(),
  createdAt: z.iso.datetime(),
});
export type JoinToken = z.infer<typeof JoinToken>;

/** The token itself is in this answer and nowhere else: only its hash is stored. */
export const CreatedJoinToken = JoinToken.extend({ token: JoinTokenSecret });
export type CreatedJoinToken = z.infer<typeof CreatedJoinToken>;

export const listJoinTokens = defineOperation({
  id: "listJoinTokens",
  tag,
  method: "get",
  path: "/join-tokens",
  summary: "List join tokens, without the tokens themselves",
  role: "viewer",
  query: PageQuery,
  status: 200,
  reply: pageOf(JoinToken),
  errors: ["cursor_invalid"],
});
export const createJoinToken = defineOperation({
  id: "createJoinToken",
  tag,
  method: "post",
  path: "/join-tokens",
  summary: "Create a join token; it is shown once",
  role: "admin",
  body: CreateJoinToken,
  status: 201,
  reply: CreatedJoinToken,
  isIdempotencyKeyAccepted: true,
  errors: ["mesh_not_found", "cidr_overlap"],
});
export const revokeJoinToken = defineOperation({
  id: "revokeJoinToken",
  tag,
  method: "delete",
  path: "/join-tokens/{joinTokenId}",
  summary: "Revoke a join token; machines that enrolled with it stay",
  role: "admin",
  params,
  status: 204,
  errors: ["join_token_not_found"],
});
