import type { JoinToken } from "#schema/api/join-tokens";
import type { Role } from "#schema/api/operation";
import type { Tone } from "../../components/badge.tsx";

export const JOIN_TOKEN_WORDS: Readonly<Record<JoinToken["status"], { readonly label: string; readonly tone: Tone }>> =
  {
    active: { label: "active", tone: "good" },
    expired: { label: "expired", tone: "neutral" },
    used_up: { label: "used up", tone: "neutral" },
    revoked: { label: "revoked", tone: "bad" },
  };

/** Those that can be used first, and of each the newest. */
export const orderJoinTokens = <Token extends Pick<JoinToken, "status" | "createdAt">>(
  tokens: readonly Token[],
): Token[] =>
  tokens.toSorted(
    (a, b) => Number(b.status === "active") - Number(a.status === "active") || b.createdAt.localeCompare(a.createdAt),
  );

/** Which meshes a token's machines join: null is the default mesh of the moment. */
export function describeMeshes(meshIds: JoinToken["meshIds"], names: ReadonlyMap<string, string>): string {
  if (meshIds === null) return "the default mesh";
  if (meshIds.length === 0) return "no mesh";
  return meshIds.map((id) => names.get(id) ?? "a deleted mesh").join(", ");
}

export const ROLE_WORDS: Readonly<Record<Role, { readonly label: string; readonly hint: string }>> = {
  viewer: { label: "Viewer", hint: "Reads everything but API tokens and users." },
  admin: { label: "Admin", hint: "Also changes meshes, routes, VIPs, machines and join tokens." },
  owner: { label: "Owner", hint: "May do everything." },
};

/** To choose from. */
export const ROLES = (["viewer", "admin", "owner"] as const).map((value) => ({ value, ...ROLE_WORDS[value] }));
