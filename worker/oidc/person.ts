// Who somebody is, out of what the provider says, and whether that person is let in. Pure.
import type { PersonClaims } from "#schema/oidc";
import type { Admission } from "#schema/oidc-settings";
import { toHarmless } from "#schema/spoken-text";

export interface Person {
  readonly subject: string;
  readonly name: string;
  /** Lower case. */
  readonly email: string | null;
  /** Only a verified address says anything about the person: anybody can write any address into a profile. */
  readonly isEmailVerified: boolean;
  readonly groups: readonly string[];
}

const MAX_NAME_LENGTH = 100;

/** @param sources the ID token's claims, and those of UserInfo where there are any: the first one that has something says it */
export function toPerson(sources: readonly [PersonClaims, ...PersonClaims[]], groupsClaim: string): Person {
  const first = <T>(read: (claims: PersonClaims) => T | undefined) =>
    sources.map(read).find((value) => value !== undefined);
  // Address and its verification go together: of one source.
  const isVerified = ({ email, email_verified }: PersonClaims) => email !== undefined && email_verified === true;
  const mail = sources.find(isVerified) ?? sources.find(({ email }) => email !== undefined);
  const [{ sub }] = sources;
  const name =
    first((claims) => claims.name?.trim() || undefined) ??
    first((claims) => claims.preferred_username?.trim() || undefined);
  return {
    subject: sub,
    name: toHarmless((name ?? mail?.email ?? sub).slice(0, MAX_NAME_LENGTH)),
    email: mail?.email?.toLowerCase() ?? null,
    isEmailVerified: mail?.email_verified === true,
    groups: first((claims) => toTexts(claims[groupsClaim])) ?? [],
  };
}

/** Providers write one group as a text, and several as a list. */
function toTexts(value: unknown): readonly string[] | undefined {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : undefined;
}

/** Why the person is not let in, for the operator's log; null: let in. Each rule that is there must hold. */
export function findRefusal({ domains, groups }: Admission, person: Person): string | null {
  if (domains !== null) {
    if (person.email === null) return "the provider tells no email address";
    if (!person.isEmailVerified) return "the provider does not say that the email address is verified";
    const domain = person.email.slice(person.email.lastIndexOf("@") + 1);
    if (!domains.includes(domain)) return "the email address is of no allowed domain";
  }
  if (groups !== null && !person.groups.some((group) => groups.includes(group))) return "in no allowed group";
  return null;
}

/** Where anybody is let in, being first makes nobody an owner: only the address that the operator named. */
export function mayBeFirstOwner({ domains, groups, firstOwner }: Admission, person: Person): boolean {
  if (firstOwner !== null) return person.isEmailVerified && person.email === firstOwner;
  return domains !== null || groups !== null;
}
