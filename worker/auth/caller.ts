// Who calls /api/v1: the owner's built-in token, or an API token.
import type { Actor } from "#schema/api/audit-events";
import type { Role } from "#schema/api/operation";
import { err, ok, type Result } from "#schema/result";
import { API_TOKEN_PREFIX } from "#schema/wire/enrolment";
import { findApiTokenByHash } from "../db/api-tokens.ts";
import type { Failure } from "../failure.ts";
import type { Services } from "../services.ts";
import { hashSecret, isSameSecret } from "./secrets.ts";

export interface Caller {
  readonly actor: Actor;
  readonly role: Role;
  /** The token that was sent: the key of sealed answers is derived from it. Never logged, never stored. */
  readonly secret: string;
}

const RANKS: Readonly<Record<Role, number>> = { viewer: 1, admin: 2, owner: 3 };

export const isAllowed = (role: Role, least: Role): boolean => RANKS[role] >= RANKS[least];

export async function authenticateCaller(
  services: Pick<Services, "db" | "now" | "ownerToken">,
  authorization: string | null,
): Promise<Result<Caller, Failure<"unauthenticated" | "api_token_expired">>> {
  const secret = parseBearer(authorization);
  if (secret === null) return err({ code: "unauthenticated" });
  if (services.ownerToken !== null && (await isSameSecret(secret, services.ownerToken))) {
    return ok({ actor: { kind: "owner_token", id: null, name: "owner token" }, role: "owner", secret });
  }
  if (!secret.startsWith(API_TOKEN_PREFIX)) return err({ code: "unauthenticated" });
  const token = await findApiTokenByHash(services.db, await hashSecret(secret));
  if (token === null) return err({ code: "unauthenticated" });
  if (token.expiresAt <= services.now()) return err({ code: "api_token_expired" });
  return ok({ actor: { kind: "api_token", id: token.id, name: token.name }, role: token.role, secret });
}

/** The token of an `Authorization: Bearer …` header (RFC 6750), or null. */
export function parseBearer(authorization: string | null): string | null {
  const match = /^bearer +([\x21-\x7e]+) *$/i.exec(authorization ?? "");
  return match?.[1] ?? null;
}
