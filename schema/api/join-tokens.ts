import { z } from "zod";
import { JoinTokenId, MeshId } from "../ids.ts";
import { Tags } from "../tag.ts";
import { Timestamp } from "../timestamp.ts";
import { JoinTokenSecret } from "../wire/enrolment.ts";
import { defineOperation, PageQuery, pageOf } from "./operation.ts";

const tag = "join-tokens";
const params = z.object({ joinTokenId: JoinTokenId });
const YEAR_SECONDS = 365 * 86_400;

export const CreateJoinToken = z
  .object({
    expiresInSeconds: z
      .number()
      .int()
      .min(60)
      .max(YEAR_SECONDS)
      .default(600)
      .meta({ description: "How long machines may enrol with it.", examples: [3_600] }),
    maxUses: z
      .number()
      .int()
      .min(1)
      .max(100_000)
      .nullable()
      .default(null)
      .meta({
        description: "How many machines may enrol with it; as many as like until it expires when null.",
        examples: [10],
      }),
    meshIds: z
      .array(MeshId)
      .max(32)
      .optional()
      .describe("The meshes that its machines join; the default mesh when left out, none when empty."),
    tags: Tags.default([]).describe("The tags that new machines get."),
  })
  .meta({ id: "CreateJoinToken", examples: [{ expiresInSeconds: 3_600, maxUses: 10 }] });
export type CreateJoinToken = z.infer<typeof CreateJoinToken>;

export const JoinToken = z
  .object({
    id: JoinTokenId,
    status: z.enum(["active", "expired", "used_up", "revoked"]).meta({
      description: "Whether machines can enrol with it, and if not, why.",
      examples: ["active"],
    }),
    expiresAt: Timestamp.describe("When it ends."),
    maxUses: z
      .number()
      .int()
      .nullable()
      .meta({
        description: "How many machines may enrol with it; null: any number.",
        examples: [10],
      }),
    uses: z
      .number()
      .int()
      .meta({ description: "How many machines have enrolled with it.", examples: [3] }),
    meshIds: z
      .array(MeshId)
      .nullable()
      .describe("The meshes that its machines join; null: whichever is the default mesh when they enrol."),
    tags: Tags.describe("The tags that new machines get. One that was there before keeps its own."),
    createdAt: Timestamp.describe("When it was created."),
  })
  .meta({ id: "JoinToken", description: "What is known of a join token; the token itself is not." });
export type JoinToken = z.infer<typeof JoinToken>;

export const CreatedJoinToken = JoinToken.extend({
  token: JoinTokenSecret.meta({
    description: "The token itself. It is in this answer and nowhere else: only its hash is stored.",
    examples: ["bkj_Zm9vYmFyYmF6cXV4cXV1eGNvcmdlZ3JhdWx0Z2FycGx"],
  }),
}).meta({ id: "CreatedJoinToken", description: "The new join token, with the token itself." });
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
  reply: pageOf(JoinToken, "JoinTokenPage"),
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
