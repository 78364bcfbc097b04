// What an operator sets for a control plane on Cloudflare, in the environment of `npm run deploy`: the same variables as on one box.
import { MIN_OWNER_TOKEN_LENGTH } from "#schema/limits";
import { parseOidcSettings } from "#schema/oidc-settings";
import { parsePublicOrigin } from "#schema/public-origin";
import { parseStunServers } from "#schema/stun-servers";

/** Secrets go by a file, never by an argument. */
const SECRETS = ["BECKET_OWNER_TOKEN", "BECKET_OIDC_CLIENT_SECRET"] as const;
const VARIABLES = [
  "BECKET_ORIGIN",
  "BECKET_STUN_SERVERS",
  "BECKET_LOG_LEVEL",
  "BECKET_OIDC_ISSUER",
  "BECKET_OIDC_CLIENT_ID",
  "BECKET_OIDC_NAME",
  "BECKET_OIDC_SCOPES",
  "BECKET_OIDC_ALLOWED_DOMAINS",
  "BECKET_OIDC_ALLOWED_GROUPS",
  "BECKET_OIDC_GROUPS_CLAIM",
  "BECKET_OIDC_FIRST_OWNER",
] as const;

type Environment = Readonly<Record<string, string | undefined>>;

const pick = (env: Environment, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));

/** `KEY:VALUE`, as `wrangler deploy --var` takes it. What is left out stays as it was. */
export const toVariables = (env: Environment): string[] =>
  Object.entries(pick(env, VARIABLES)).map(([name, value]) => `${name}:${value}`);

/** Of two labels at least: a zone's own name, or one below it. */
const HOST_NAME = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/i;
const LOG_LEVELS = ["debug", "info", "warn", "error"];

/** A sentence, before anything is built or uploaded: on Cloudflare a wrong setting is an error in a log. Null: they are good, as far as one can see here. */
export function findSettingProblem(env: Environment, domain: string | null = null): string | null {
  if (domain !== null && !HOST_NAME.test(domain))
    return `--domain: "${domain}" is no host name like becket.example.org`;
  const origin = parsePublicOrigin(env.BECKET_ORIGIN);
  if (!origin.ok) return `BECKET_ORIGIN: ${origin.error}`;
  const stunServers = parseStunServers(env.BECKET_STUN_SERVERS || undefined);
  if (!stunServers.ok) return `BECKET_STUN_SERVERS: ${stunServers.error}`;
  const { BECKET_LOG_LEVEL: level, BECKET_OWNER_TOKEN: token } = env;
  if (level && !LOG_LEVELS.includes(level)) return `BECKET_LOG_LEVEL: ${level} is none of ${LOG_LEVELS.join(", ")}`;
  if (token && token.length < MIN_OWNER_TOKEN_LENGTH) {
    return `BECKET_OWNER_TOKEN needs at least ${MIN_OWNER_TOKEN_LENGTH} characters`;
  }
  // Single ones may go with those that are there already; a provider that is named is named whole.
  const oidc = env.BECKET_OIDC_ISSUER ? parseOidcSettings(env) : null;
  return oidc?.ok === false ? oidc.error : null;
}

/** What would go along, by name. */
export function describeSettings(env: Environment): string {
  const names = [
    ...Object.keys(pick(env, VARIABLES)),
    ...Object.keys(pick(env, SECRETS)).map((name) => `${name} (secret)`),
  ];
  return names.length === 0 ? "none: what the Worker has stays" : names.join(", ");
}

export interface SecretPlan {
  /** To upload; those that are there already and not given anew stay. */
  readonly upload: Readonly<Record<string, string>>;
  /** The owner's token, when it is made now: the only time that it is shown. */
  readonly newOwnerToken: string | null;
  /** Secrets that the settings call for, which nobody gave yet. */
  readonly missing: readonly string[];
}

/** @param existing names of the secrets that the Worker has */
export function planSecrets(env: Environment, existing: readonly string[], makeToken: () => string): SecretPlan {
  const given = pick(env, SECRETS);
  const isKnown = (name: string) => given[name] !== undefined || existing.includes(name);
  const newOwnerToken = isKnown("BECKET_OWNER_TOKEN") ? null : makeToken();
  const needsClientSecret = Boolean(env.BECKET_OIDC_CLIENT_ID) && !isKnown("BECKET_OIDC_CLIENT_SECRET");
  return {
    upload: newOwnerToken === null ? given : { ...given, BECKET_OWNER_TOKEN: newOwnerToken },
    newOwnerToken,
    missing: needsClientSecret ? ["BECKET_OIDC_CLIENT_SECRET"] : [],
  };
}

const PLACEHOLDER = /^database_id = ".*"$/m;

/** wrangler.toml for one account: the database that it has there. */
export function toAccountConfig(toml: string, databaseId: string): string {
  if (!PLACEHOLDER.test(toml)) throw new Error('wrangler.toml has no line `database_id = "…"`');
  return toml.replace(PLACEHOLDER, `database_id = "${databaseId}"`);
}
