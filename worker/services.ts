// Composition root of the HTTP side: what use-cases and routes are given.
import {
  ApiTokenId,
  AuditEventId,
  ID_PREFIXES,
  JoinTokenId,
  LoginLinkId,
  MachineId,
  MeshId,
  PolicySetId,
  RolloutId,
  RouteId,
  renderUlid,
  SessionId,
  UserId,
  VipId,
} from "#schema/ids";
import { MIN_OWNER_TOKEN_LENGTH } from "#schema/limits";
import { parseOidcSettings } from "#schema/oidc-settings";
import { type AgentBuildReader, createAgentBuildReader } from "./agent-build.ts";
import { createFailureLimit, type FailureLimit, SIGN_IN_FAILURES } from "./auth/failure-limit.ts";
import { createIdentityKeys, type IdentityKeys } from "./auth/identity-keys.ts";
import { createDatabase, type Database } from "./db/database.ts";
import { createRateLimiter, type RateLimiter } from "./durable/rate-limiter.ts";
import { IDENTITY_KEY_REQUESTS } from "./enrolment/replace-identity-key.ts";
import type { Env } from "./env.ts";
import { createLogger, type Logger, parseLogLevel } from "./log.ts";
import { createObjects, type Objects } from "./objects.ts";
import { createOidcProvider, type OidcProvider } from "./oidc/provider.ts";

export interface Services {
  readonly db: Database;
  readonly objects: Objects;
  readonly assets: { fetch(request: Request): Promise<Response> };
  readonly agentBuild: AgentBuildReader;
  readonly log: Logger;
  readonly now: () => number;
  readonly random: (byteLength: number) => Uint8Array<ArrayBuffer>;
  readonly ids: Ids;
  readonly identityKeys: IdentityKeys;
  readonly failureLimit: FailureLimit;
  readonly signInLimit: FailureLimit;
  /** By machine. */
  readonly identityKeyLimit: RateLimiter;
  /** Null: nobody signs in at a provider. */
  readonly oidc: OidcProvider | null;
  /** Null: there is no built-in token. */
  readonly ownerToken: string | null;
  /** Null: each request's own origin is the control plane's. */
  readonly origin: string | null;
}

export interface Ids {
  mesh(): MeshId;
  machine(): MachineId;
  joinToken(): JoinTokenId;
  apiToken(): ApiTokenId;
  auditEvent(): AuditEventId;
  route(): RouteId;
  vip(): VipId;
  policySet(): PolicySetId;
  rollout(): RolloutId;
  user(): UserId;
  session(): SessionId;
  loginLink(): LoginLinkId;
  request(): string;
}

export function createServices(env: Env): Services {
  const log = createLogger(parseLogLevel(env.BECKET_LOG_LEVEL));
  const db = createDatabase(env.DB);
  const objects = createObjects(env);
  const now = () => Date.now();
  const random = (byteLength: number) => crypto.getRandomValues(new Uint8Array(byteLength));
  return {
    db,
    objects,
    assets: env.ASSETS,
    agentBuild: createAgentBuildReader(env.ASSETS, now),
    log,
    now,
    random,
    ids: createIds(now, random),
    identityKeys: createIdentityKeys({ db, objects, now, log }),
    failureLimit: createFailureLimit(env.BECKET_CLIENT_ADDRESS_HEADER || null, now),
    signInLimit: createFailureLimit(env.BECKET_CLIENT_ADDRESS_HEADER || null, now, SIGN_IN_FAILURES),
    identityKeyLimit: createRateLimiter(IDENTITY_KEY_REQUESTS),
    oidc: createOidc(env, now, log),
    ownerToken: parseOwnerToken(env.BECKET_OWNER_TOKEN, log),
    origin: env.BECKET_ORIGIN ? new URL(env.BECKET_ORIGIN).origin : null,
  };
}

function parseOwnerToken(token: string | undefined, log: Logger): string | null {
  if (token === undefined || token === "") return null;
  if (token.length >= MIN_OWNER_TOKEN_LENGTH) return token;
  log.error("BECKET_OWNER_TOKEN is too short and is not accepted", { minLength: MIN_OWNER_TOKEN_LENGTH });
  return null;
}

/** Wrong settings leave everything else working: tokens and links still open what they open. */
function createOidc(env: Env, now: () => number, log: Logger): OidcProvider | null {
  const settings = parseOidcSettings(env);
  if (settings.ok) {
    return settings.value === null ? null : createOidcProvider(settings.value, (request) => fetch(request), now);
  }
  log.error("nobody can sign in at the OpenID provider: its settings are wrong", { reason: settings.error });
  return null;
}

function createIds(now: () => number, random: (byteLength: number) => Uint8Array): Ids {
  const ulid = () => renderUlid(now(), random(16));
  return {
    mesh: () => MeshId.parse(ID_PREFIXES.mesh + ulid()),
    machine: () => MachineId.parse(ID_PREFIXES.machine + ulid()),
    joinToken: () => JoinTokenId.parse(ID_PREFIXES.joinToken + ulid()),
    apiToken: () => ApiTokenId.parse(ID_PREFIXES.apiToken + ulid()),
    auditEvent: () => AuditEventId.parse(ID_PREFIXES.auditEvent + ulid()),
    route: () => RouteId.parse(ID_PREFIXES.route + ulid()),
    vip: () => VipId.parse(ID_PREFIXES.vip + ulid()),
    policySet: () => PolicySetId.parse(ID_PREFIXES.policySet + ulid()),
    rollout: () => RolloutId.parse(ID_PREFIXES.rollout + ulid()),
    user: () => UserId.parse(ID_PREFIXES.user + ulid()),
    session: () => SessionId.parse(ID_PREFIXES.session + ulid()),
    loginLink: () => LoginLinkId.parse(ID_PREFIXES.loginLink + ulid()),
    request: () => `req_${ulid()}`,
  };
}
