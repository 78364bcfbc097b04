// What the list of users tells of each, and what may not be done to the last owner.
import type { Role } from "#schema/api/operation";
import type { User } from "#schema/api/users";
import type { Tone } from "../../components/badge.tsx";

type Standing = Pick<User, "id" | "role" | "isBlocked">;

/** An owner who is not blocked must be left; the control plane holds to it, the page says it before. */
export const isLastOwner = (user: Standing, users: readonly Standing[]): boolean =>
  isGoodOwner(user) && users.filter(isGoodOwner).length === 1;

const isGoodOwner = ({ role, isBlocked }: Standing): boolean => role === "owner" && !isBlocked;

const RANKS = { viewer: 0, admin: 1, owner: 2 } as const satisfies Record<Role, number>;

/** What another role means for somebody, said before it is given. */
export function listRoleConsequences({ role: before }: Pick<User, "role">, role: Role, isSelf: boolean): string[] {
  const [who, verb] = isSelf ? ["You", "lose"] : ["The user", "loses"];
  if (RANKS[role] > RANKS[before]) {
    return role === "owner"
      ? [
          `${who} can then do everything here: also invite, block and remove users, and make API tokens that can do it too.`,
        ]
      : [`${who} can then change meshes, machines, routes and policies, and make join tokens.`];
  }
  return [
    role === "viewer" ? `${who} can then look at everything and change nothing.` : `${who} can no longer manage users.`,
    ...(before === "owner" ? [`${who} ${verb} this page; only another owner can give it back.`] : []),
    "API tokens and join tokens that were made before stay good: revoke those that shall not.",
  ];
}

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
