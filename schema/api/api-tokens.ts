import { z } from "zod";
import { ApiTokenId } from "../ids.ts";
import { Timestamp } from "../timestamp.ts";
import { defineOperation, PageQuery, pageOf, Role } from "./operation.ts";

const tag = "api-tokens";
const params = z.object({ apiTokenId: ApiTokenId });
const YEAR_SECONDS = 365 * 86_400;

export const CreateApiToken = z
  .object({
    name: z
      .string()
      .trim()
      .min(1)
      .max(100)
      .meta({ description: "What it is for.", examples: ["backup script"] }),
    role: Role,
    expiresInSeconds: z
      .number()
      .int()
      .min(60)
      .max(YEAR_SECONDS)
      .default(90 * 86_400)
      .meta({ description: "How long it is good for.", examples: [86_400] }),
  })
  .meta({ id: "CreateApiToken" });
export type CreateApiToken = z.infer<typeof CreateApiToken>;

export const ApiToken = z
  .object({
    id: ApiTokenId,
    name: z.string().meta({ description: "What it is for.", examples: ["backup script"] }),
    role: Role,
    expiresAt: Timestamp.describe("When it ends."),
    createdAt: Timestamp.describe("When it was created."),
  })
  .meta({ id: "ApiToken", description: "What is known of an API token; the token itself is not." });
export type ApiToken = z.infer<typeof ApiToken>;

export const CreatedApiToken = ApiToken.extend({
  token: z
    .string()
    .startsWith("bkt_")
    .meta({
      description: "The token itself. It is in this answer and nowhere else: only its hash is stored.",
      examples: ["bkt_Zm9vYmFyYmF6cXV4cXV1eGNvcmdlZ3JhdWx0Z2FycGx"],
    }),
}).meta({ id: "CreatedApiToken", description: "The new API token, with the token itself." });
export type CreatedApiToken = z.infer<typeof CreatedApiToken>;

export const listApiTokens = defineOperation({
  id: "listApiTokens",
  tag,
  method: "get",
  path: "/api-tokens",
  summary: "List API tokens, without the tokens themselves",
  role: "owner",
  query: PageQuery,
  status: 200,
  reply: pageOf(ApiToken, "ApiTokenPage"),
  errors: ["cursor_invalid"],
});
export const createApiToken = defineOperation({
  id: "createApiToken",
  tag,
  method: "post",
  path: "/api-tokens",
  summary: "Create an API token; it is shown once",
  role: "owner",
  body: CreateApiToken,
  status: 201,
  reply: CreatedApiToken,
  isIdempotencyKeyAccepted: true,
  errors: [],
});
export const revokeApiToken = defineOperation({
  id: "revokeApiToken",
  tag,
  method: "delete",
  path: "/api-tokens/{apiTokenId}",
  summary: "Revoke an API token, at once",
  role: "owner",
  params,
  status: 204,
  errors: ["api_token_not_found", "last_owner_token"],
});
