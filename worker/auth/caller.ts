// Who calls /api/v1: the owner's built-in token, an API token, or a person's browser by the session's cookie.
import type { Actor } from "#schema/api/audit-events";
import type { Role } from "#schema/api/operation";
import { err, ok, type Result } from "#schema/result";
import { API_TOKEN_PREFIX } from "#schema/wire/enrolment";
import { findApiTokenByHash } from "../db/api-tokens.ts";
import type { SignedIn } from "../db/sessions.ts";
import type { Failure } from "../failure.ts";
import type { Services } from "../services.ts";
import { readSession } from "../sessions/read-session.ts";
import { readCookie } from "./cookies.ts";
import { checkOrigin, originOf } from "./origin.ts";
import { hashSecret, isSameSecret } from "./secrets.ts";

export interface Caller {
  readonly actor: Actor;
  readonly role: Role;
  /** The token or cookie that was sent: the key of sealed answers is derived from it. Never logged, never stored. */
  readonly secret: string;
  /** The person and the browser; null for a token. */
  readonly signedIn: SignedIn | null;
}

const RANKS: Readonly<Record<Role, number>> = { viewer: 1, admin: 2, owner: 3 };

export const isAllowed = (role: Role, least: Role | "anyone"): boolean =>
  least === "anyone" || RANKS[role] >= RANKS[least];

type CallerServices = Pick<Services, "db" | "now" | "ownerToken" | "origin">;

/** A request with a token is judged by that alone, so a wrong one is never made up for by a cookie. */
export async function authenticateCaller(
  services: CallerServices,
  request: Request,
): Promise<Result<Caller, Failure<"unauthenticated" | "api_token_expired" | "origin_mismatched">>> {
  const authorization = request.headers.get("authorization");
  return authorization === null ? authenticateSession(services, request) : authenticateToken(services, authorization);
}

async function authenticateToken(
  services: CallerServices,
  authorization: string,
): Promise<Result<Caller, Failure<"unauthenticated" | "api_token_expired">>> {
  const secret = parseBearer(authorization);
  if (secret === null) return err({ code: "unauthenticated" });
  const signedIn = null;
  if (services.ownerToken !== null && (await isSameSecret(secret, services.ownerToken))) {
    return ok({ actor: { kind: "owner_token", id: null, name: "owner token" }, role: "owner", secret, signedIn });
  }
  if (!secret.startsWith(API_TOKEN_PREFIX)) return err({ code: "unauthenticated" });
  const token = await findApiTokenByHash(services.db, await hashSecret(secret));
  if (token === null) return err({ code: "unauthenticated" });
  if (token.expiresAt <= services.now()) return err({ code: "api_token_expired" });
  return ok({ actor: { kind: "api_token", id: token.id, name: token.name }, role: token.role, secret, signedIn });
}

async function authenticateSession(
  services: CallerServices,
  request: Request,
): Promise<Result<Caller, Failure<"unauthenticated" | "origin_mismatched">>> {
  const secret = readCookie(originOf(services, request), request, "session");
  if (secret === null) return err({ code: "unauthenticated" });
  const origin = checkOrigin(services, request);
  if (!origin.ok) return origin;
  const signedIn = await readSession(services, secret);
  if (signedIn === null) return err({ code: "unauthenticated" });
  const { id, name, role } = signedIn.user;
  return ok({ actor: { kind: "user", id, name }, role, secret, signedIn });
}

/** Names the token or cookie that a request shows without telling it; null: it shows none. */
export async function readCredential(services: Pick<Services, "origin">, request: Request): Promise<string | null> {
  const authorization = request.headers.get("authorization");
  const secret =
    authorization === null ? readCookie(originOf(services, request), request, "session") : parseBearer(authorization);
  return secret === null ? null : hashSecret(secret);
}

/** The token of an `Authorization: Bearer …` header (RFC 6750), or null. */
export function parseBearer(authorization: string | null): string | null {
  const match = /^bearer +([\x21-\x7e]+) *$/i.exec(authorization ?? "");
  return match?.[1] ?? null;
}
