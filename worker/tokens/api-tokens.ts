import type { ApiToken, CreateApiToken, CreatedApiToken } from "#schema/api/api-tokens";
import { ApiTokenId } from "#schema/ids";
import { err, ok, type Result } from "#schema/result";
import { API_TOKEN_PREFIX } from "#schema/wire/enrolment";
import { createAuditEvent } from "../audit/new-event.ts";
import { hashSecret, renderToken } from "../auth/secrets.ts";
import {
  type ApiTokenRecord,
  deleteApiToken,
  findApiToken,
  insertApiToken,
  listApiTokenRows,
} from "../db/api-tokens.ts";
import { insertAuditEvent } from "../db/audit-events.ts";
import { runBatch } from "../db/database.ts";
import type { Failure } from "../failure.ts";
import type { Cause } from "../outbox/cause.ts";
import { type Page, type PageQuery, parsePageRequest, toPage } from "../page.ts";
import type { Services } from "../services.ts";
import { dismissWatchers } from "../sessions/dismiss-watchers.ts";

export async function listApiTokens(
  { db }: Pick<Services, "db">,
  query: PageQuery,
): Promise<Result<Page<ApiToken>, Failure<"cursor_invalid">>> {
  const page = parsePageRequest(query, ApiTokenId);
  if (!page.ok) return page;
  const rows = await listApiTokenRows(db, page.value);
  return ok(toPage(rows, page.value.limit, { idOf: (row) => row.id, toItem: toApiToken }));
}

export async function createApiToken(
  services: Services,
  { name, role, expiresInSeconds }: CreateApiToken,
  cause: Cause,
): Promise<Result<CreatedApiToken, never>> {
  const { db } = services;
  const token = renderToken(API_TOKEN_PREFIX, services.random(32));
  const now = services.now();
  const expiresAt = now + expiresInSeconds * 1_000;
  const record: ApiTokenRecord = { id: services.ids.apiToken(), name, role, expiresAt, createdAt: now };
  const event = createAuditEvent(services, cause, {
    action: "api_token.created",
    subjectId: record.id,
    details: { name, role, expiresAt: new Date(expiresAt).toISOString() },
  });
  const tokenHash = await hashSecret(token);
  await runBatch(db, [insertApiToken(db, { ...record, tokenHash }), insertAuditEvent(db, event)]);
  return ok({ ...toApiToken(record), token });
}

/** At once: tokens are looked up at every request. */
export async function revokeApiToken(
  services: Services,
  id: ApiTokenId,
  cause: Cause,
): Promise<Result<null, Failure<"api_token_not_found" | "last_owner_token">>> {
  const { db, ownerToken, now } = services;
  const record = await findApiToken(db, id);
  if (record === null) return err({ code: "api_token_not_found" });
  const details = { name: record.name, role: record.role };
  const event = createAuditEvent(services, cause, { action: "api_token.revoked", subjectId: id, details });
  // Without a built-in token, somebody must be left who can make tokens.
  const isDeleted = await deleteApiToken(db, id, { event, mustLeaveOwner: ownerToken === null, now: now() });
  if (!isDeleted) return err({ code: "last_owner_token" });
  await dismissWatchers(services, `api_token:${id}`);
  return ok(null);
}

const toApiToken = ({ id, name, role, expiresAt, createdAt }: ApiTokenRecord): ApiToken => ({
  id,
  name,
  role,
  expiresAt: new Date(expiresAt).toISOString(),
  createdAt: new Date(createdAt).toISOString(),
});
