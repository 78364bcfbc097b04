import { isOverlapping } from "#schema/address";
import type { CreatedJoinToken, CreateJoinToken, JoinToken } from "#schema/api/join-tokens";
import { JoinTokenId, type MeshId } from "#schema/ids";
import { err, ok, type Result } from "#schema/result";
import { JOIN_TOKEN_PREFIX } from "#schema/wire/enrolment";
import { createAuditEvent } from "../audit/new-event.ts";
import { hashSecret, renderToken } from "../auth/secrets.ts";
import { insertAuditEvent } from "../db/audit-events.ts";
import { runBatch } from "../db/database.ts";
import {
  findJoinToken,
  insertJoinToken,
  type JoinTokenRecord,
  listJoinTokenRows,
  revokeJoinTokenRow,
} from "../db/join-tokens.ts";
import { findMeshes, type MeshRecord } from "../db/meshes.ts";
import { type Failure, fieldFailure } from "../failure.ts";
import type { Cause } from "../outbox/cause.ts";
import { type Page, type PageQuery, parsePageRequest, toPage } from "../page.ts";
import type { Services } from "../services.ts";

export async function listJoinTokens(
  { db, now }: Pick<Services, "db" | "now">,
  query: PageQuery,
): Promise<Result<Page<JoinToken>, Failure<"cursor_invalid">>> {
  const page = parsePageRequest(query, JoinTokenId);
  if (!page.ok) return page;
  const rows = await listJoinTokenRows(db, page.value);
  const time = now();
  return ok(toPage(rows, page.value.limit, { idOf: (row) => row.id, toItem: (row) => toJoinToken(row, time) }));
}

export async function createJoinToken(
  services: Services,
  request: CreateJoinToken,
  cause: Cause,
): Promise<Result<CreatedJoinToken, Failure<"mesh_not_found" | "cidr_overlap">>> {
  const { db } = services;
  const meshIds = request.meshIds === undefined ? null : [...new Set(request.meshIds)];
  const refusal = checkMeshes(meshIds ?? [], await findMeshes(db, meshIds ?? []));
  if (refusal !== null) return err(refusal);
  const token = renderToken(JOIN_TOKEN_PREFIX, services.random(32));
  const now = services.now();
  const record: JoinTokenRecord = {
    id: services.ids.joinToken(),
    expiresAt: now + request.expiresInSeconds * 1_000,
    maxUses: request.maxUses,
    uses: 0,
    meshIds,
    revokedAt: null,
    createdAt: now,
    tags: request.tags,
  };
  const event = createAuditEvent(services, cause, {
    action: "join_token.created",
    subjectId: record.id,
    details: {
      expiresAt: new Date(record.expiresAt).toISOString(),
      ...{ maxUses: record.maxUses, meshIds },
      ...(record.tags.length === 0 ? {} : { tags: record.tags }),
    },
  });
  const tokenHash = await hashSecret(token);
  await runBatch(db, [insertJoinToken(db, { ...record, tokenHash }), insertAuditEvent(db, event)]);
  return ok({ ...toJoinToken(record, now), token });
}

/** A token that is revoked already stays as it is. */
export async function revokeJoinToken(
  services: Services,
  id: JoinTokenId,
  cause: Cause,
): Promise<Result<null, Failure<"join_token_not_found">>> {
  const { db } = services;
  const record = await findJoinToken(db, id);
  if (record === null) return err({ code: "join_token_not_found" });
  if (record.revokedAt !== null) return ok(null);
  const event = createAuditEvent(services, cause, { action: "join_token.revoked", subjectId: id });
  await runBatch(db, [revokeJoinTokenRow(db, id, services.now()), insertAuditEvent(db, event)]);
  return ok(null);
}

/** What keeps the token from letting machines in, in the order that matters to its owner. */
export function toStatus(record: JoinTokenRecord, now: number): JoinToken["status"] {
  if (record.revokedAt !== null) return "revoked";
  if (record.maxUses !== null && record.uses >= record.maxUses) return "used_up";
  return record.expiresAt <= now ? "expired" : "active";
}

/** A machine joins all meshes of its token, so they must exist and their networks must not overlap. */
function checkMeshes(
  meshIds: readonly MeshId[],
  meshes: readonly MeshRecord[],
): Failure<"mesh_not_found" | "cidr_overlap"> | null {
  const known = new Set(meshes.map(({ id }) => id));
  const missing = meshIds.findIndex((id) => !known.has(id));
  if (missing >= 0) return fieldFailure("mesh_not_found", `meshIds.${missing}`, "there is no such mesh");
  for (const [index, left] of meshes.entries()) {
    const right = meshes.slice(index + 1).find(({ cidr }) => isOverlapping(cidr, left.cidr));
    if (right !== undefined) {
      const message = `${left.name} (${left.cidr}) and ${right.name} (${right.cidr}) overlap: no machine can be in both`;
      return fieldFailure("cidr_overlap", "meshIds", message);
    }
  }
  return null;
}

const toJoinToken = (record: JoinTokenRecord, now: number): JoinToken => ({
  id: record.id,
  status: toStatus(record, now),
  expiresAt: new Date(record.expiresAt).toISOString(),
  maxUses: record.maxUses,
  uses: record.uses,
  meshIds: record.meshIds === null ? null : [...record.meshIds],
  tags: [...record.tags],
  createdAt: new Date(record.createdAt).toISOString(),
});
