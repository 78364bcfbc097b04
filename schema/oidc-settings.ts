// Which OpenID provider people sign in with, and whom it lets in, as an operator writes it in the environment.
import { z } from "zod";
import { err, ok, type Result } from "./result.ts";

/** The variables, without their common prefix BECKET_OIDC_. */
export const OIDC_VARIABLES = {
  issuer: "BECKET_OIDC_ISSUER",
  clientId: "BECKET_OIDC_CLIENT_ID",
  clientSecret: "BECKET_OIDC_CLIENT_SECRET",
  name: "BECKET_OIDC_NAME",
  scopes: "BECKET_OIDC_SCOPES",
  allowedDomains: "BECKET_OIDC_ALLOWED_DOMAINS",
  allowedGroups: "BECKET_OIDC_ALLOWED_GROUPS",
  groupsClaim: "BECKET_OIDC_GROUPS_CLAIM",
  firstOwner: "BECKET_OIDC_FIRST_OWNER",
} as const;
type Variable = (typeof OIDC_VARIABLES)[keyof typeof OIDC_VARIABLES];
export type OidcVariables = Readonly<Partial<Record<Variable, string | undefined>>>;

export interface OidcSettings {
  /** As the provider writes it: it is compared byte by byte. */
  readonly issuer: string;
  readonly clientId: string;
  /** Null: a public client, which PKCE alone protects. */
  readonly clientSecret: string | null;
  /** What people know the provider by. */
  readonly name: string;
  readonly scopes: readonly string[];
  readonly admission: Admission;
}

/** Each rule that is there must hold. */
export interface Admission {
  /** Lower-case domains of verified email addresses; null: no such rule. */
  readonly domains: readonly string[] | null;
  readonly groups: readonly string[] | null;
  readonly groupsClaim: string;
  /** The verified address, lower-case, that becomes the first owner; null: whoever is first, where a rule bounds who that can be. */
  readonly firstOwner: string | null;
}

/** Null: there is no provider. The error is a sentence that names the variable at fault, and no secret. */
export function parseOidcSettings(variables: OidcVariables): Result<OidcSettings | null, string> {
  const read = (variable: Variable): string | null => variables[variable]?.trim() || null;
  const readList = (variable: Variable): readonly string[] | null => {
    const items = (read(variable) ?? "").split(",").map((item) => item.trim());
    return items.some((item) => item !== "") ? items.filter((item) => item !== "") : null;
  };
  const issuer = read(OIDC_VARIABLES.issuer);
  if (issuer === null) {
    const other = Object.values(OIDC_VARIABLES).find((variable) => read(variable) !== null);
    return other === undefined ? ok(null) : err(`${other} needs ${OIDC_VARIABLES.issuer}`);
  }
  if (!isIssuer(issuer)) {
    return err(
      `${OIDC_VARIABLES.issuer}: write the provider's issuer, an https URL without a query (http on loopback only)`,
    );
  }
  const clientId = read(OIDC_VARIABLES.clientId);
  if (clientId === null) return err(`${OIDC_VARIABLES.issuer} needs ${OIDC_VARIABLES.clientId}`);
  const admission = parseAdmission(read, readList);
  if (!admission.ok) return admission;
  const scopes = new Set(["openid", ...(read(OIDC_VARIABLES.scopes) ?? "email profile").split(/[\s,]+/)]);
  return ok({
    issuer,
    clientId,
    clientSecret: read(OIDC_VARIABLES.clientSecret),
    name: read(OIDC_VARIABLES.name) ?? issuer.split("/")[2] ?? issuer,
    scopes: [...scopes],
    admission: admission.value,
  });
}

function parseAdmission(
  read: (variable: Variable) => string | null,
  readList: (variable: Variable) => readonly string[] | null,
): Result<Admission, string> {
  const domains = readList(OIDC_VARIABLES.allowedDomains)?.map((domain) => domain.toLowerCase()) ?? null;
  const groups = readList(OIDC_VARIABLES.allowedGroups);
  const isAnybody = domains?.includes("*") === true;
  if (domains === null && groups === null) {
    return err(
      `${OIDC_VARIABLES.allowedDomains} or ${OIDC_VARIABLES.allowedGroups} must say who gets in; * as domain: everybody whom the provider knows`,
    );
  }
  const wrong = isAnybody ? undefined : domains?.find((domain) => !z.hostname().safeParse(domain).success);
  if (wrong !== undefined) return err(`${OIDC_VARIABLES.allowedDomains}: ${JSON.stringify(wrong)} is no domain`);
  const firstOwner = read(OIDC_VARIABLES.firstOwner)?.toLowerCase() ?? null;
  if (firstOwner !== null && !z.email().safeParse(firstOwner).success) {
    return err(`${OIDC_VARIABLES.firstOwner}: must be an email address`);
  }
  const groupsClaim = read(OIDC_VARIABLES.groupsClaim) ?? "groups";
  return ok({ domains: isAnybody ? null : domains, groups, groupsClaim, firstOwner });
}

function isIssuer(text: string): boolean {
  const [, scheme, host = ""] = ISSUER.exec(text) ?? [];
  return z.url().safeParse(text).success && (scheme === "https" || (scheme === "http" && isLoopback(host)));
}

/** Scheme, host, perhaps a port, perhaps a path; neither user nor query. By a pattern, as schema/ has no URL. */
const ISSUER = /^(https?):\/\/(\[[0-9a-fA-F:]+\]|[^/?#@:[\]\s]+)(?::\d{1,5})?(?:\/[^?#\s]*)?$/;

/** @param hostname an IPv6 address in brackets */
const isLoopback = (hostname: string): boolean =>
  /^(localhost|.*\.localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
