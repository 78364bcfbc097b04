// What the list of users tells of each, and what may not be done to the last owner.
import type { User } from "#schema/api/users";
import type { Tone } from "../../components/badge.tsx";

type Standing = Pick<User, "id" | "role" | "isBlocked">;

/** An owner who is not blocked must be left; the control plane holds to it, the page says it before. */
export const isLastOwner = (user: Standing, users: readonly Standing[]): boolean =>
  isGoodOwner(user) && users.filter(isGoodOwner).length === 1;

const isGoodOwner = ({ role, isBlocked }: Standing): boolean => role === "owner" && !isBlocked;

export interface UserState {
  readonly tone: Tone;
  readonly label: string;
}

export function toUserState({ isBlocked, lastSignInAt }: Pick<User, "isBlocked" | "lastSignInAt">): UserState {
  if (isBlocked) return { tone: "bad", label: "blocked" };
  return lastSignInAt === null ? { tone: "neutral", label: "invited" } : { tone: "good", label: "active" };
}

export const ORIGIN_WORDS: Readonly<Record<User["knownBy"], string>> = {
  oidc: "OpenID provider",
  link: "sign-in link",
};

const COLLATOR = new Intl.Collator("en", { numeric: true });

/** By name; found by name and email. */
export function selectUsers(users: readonly User[], q: string): User[] {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  return users
    .filter(({ name, email }) => words.every((word) => `${name} ${email ?? ""}`.toLowerCase().includes(word)))
    .toSorted((a, b) => COLLATOR.compare(a.name, b.name) || COLLATOR.compare(a.id, b.id));
}
