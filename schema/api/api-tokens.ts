import { z } from "zod";
import { ApiTokenId } from "../ids.ts";
import { defineOperation, PageQuery, pageOf, Role } from "./operation.ts";

const tag = "api-tokens";
const params = z.object({ apiTokenId: ApiTokenId });
const YEAR_SECONDS = 365 * 86_400;

export const CreateApiToken = z.object({
  name: z.string().trim().min(1).max(100),
  role: Role,
  expiresInSeconds: z
    .number()
    .int()
    .min(60)
    .max(YEAR_SECONDS)
    .default(90 * 86_400),
});
export type CreateApiToken = z.infer<typeof CreateApiToken>;

export const ApiToken = z.object({
  id: ApiTokenId,
  name: z.string(),
  role: Role,
  expiresAt: z.iso.datetime(),
  createdAt: z.iso.datetime(),
});
export type ApiToken = z.infer<typeof ApiToken>;

/** The token itself is in this answer and nowhere else: only its hash is stored. */
export const CreatedApiToken = ApiToken.extend({ token: z.string().startsWith("bkt_") });
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
  reply: pageOf(ApiToken),
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
