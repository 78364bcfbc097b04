import * as apiTokens from "#schema/api/api-tokens";
import * as joinTokens from "#schema/api/join-tokens";
import type { Services } from "../services.ts";
import { createApiToken, listApiTokens, revokeApiToken } from "../tokens/api-tokens.ts";
import { createJoinToken, listJoinTokens, revokeJoinToken } from "../tokens/join-tokens.ts";
import type { Mount } from "./api.ts";

export function mountTokens(mount: Mount, services: Services): void {
  mount(joinTokens.listJoinTokens, ({ query }) => listJoinTokens(services, query));
  mount(joinTokens.createJoinToken, ({ body, cause }) => createJoinToken(services, body, cause));
  mount(joinTokens.revokeJoinToken, ({ params, cause }) => revokeJoinToken(services, params.joinTokenId, cause));
  mount(apiTokens.listApiTokens, ({ query }) => listApiTokens(services, query));
  mount(apiTokens.createApiToken, ({ body, cause }) => createApiToken(services, body, cause));
  mount(apiTokens.revokeApiToken, ({ params, cause }) => revokeApiToken(services, params.apiTokenId, cause));
}
