// What an operator sets for a control plane on Cloudflare, in the environment of `npm run deploy`: the same variables as on one box.

/** Secrets go by a file, never by an argument. */
export const SECRETS = ["BECKET_OWNER_TOKEN", "BECKET_OIDC_CLIENT_SECRET"] as const;
export const VARIABLES = [
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
