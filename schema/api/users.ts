import { z } from "zod";
import { SessionId, UserId } from "../ids.ts";
import { Timestamp } from "../timestamp.ts";
import { defineOperation, PageQuery, pageOf, Role } from "./operation.ts";

const tag = "users";
const params = z.object({ userId: UserId });

export const SignInMethod = z.enum(["oidc", "link"]).meta({
  id: "SignInMethod",
  description: "By the OpenID provider, or by a one-time link.",
  examples: ["oidc"],
});
export type SignInMethod = z.infer<typeof SignInMethod>;

export const UserName = z
  .string()
  .trim()
  .min(1)
  .max(100)
  // Joiners, of the same class, belong to names in some scripts.
  .regex(/^[^\p{Cc}\u200E\u200F\u202A-\u202E\u2066-\u2069]*$/u, "must have no control characters")
  .meta({ description: "What the person is called.", examples: ["Ann Example"] });

export const User = z
  .object({
    id: UserId,
    name: UserName,
    email: z
      .string()
      .nullable()
      .meta({ description: "As the provider tells it; null where it is not known.", examples: ["ann@example.org"] }),
    role: Role,
    isBlocked: z
      .boolean()
      .meta({ description: "A blocked user is signed out and does not get in.", examples: [false] }),
    knownBy: SignInMethod.describe(
      "Where the user comes from: the OpenID provider, or a sign-in link that was made for the name.",
    ),
    createdAt: Timestamp.describe("When the user was first seen."),
    lastSignInAt: Timestamp.nullable().describe("When the user signed in last; null: never."),
  })
  .meta({ id: "User", description: "A person." });
export type User = z.infer<typeof User>;

export const UpdateUser = z
  .object({
    role: Role.optional(),
    isBlocked: z
      .boolean()
      .optional()
      .meta({ description: "Signs the user out everywhere, and keeps the user out.", examples: [true] }),
  })
  .meta({ id: "UpdateUser", description: "What is left out stays as it is." });
export type UpdateUser = z.infer<typeof UpdateUser>;

export const Session = z
  .object({
    id: SessionId,
    userId: UserId,
    signedInBy: SignInMethod,
    isCurrent: z.boolean().meta({ description: "The session of this very request.", examples: [true] }),
    userAgent: z
      .string()
      .nullable()
      .meta({
        description: "What the browser called itself.",
        examples: ["Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"],
      }),
    createdAt: Timestamp.describe("When the user signed in."),
    lastUsedAt: Timestamp.describe("When it was used last, to ten minutes."),
    expiresAt: Timestamp.describe("When it ends at the latest; it ends before that after a day without use."),
  })
  .meta({ id: "Session", description: "One browser that somebody is signed in with." });
export type Session = z.infer<typeof Session>;

export const listUsers = defineOperation({
  id: "listUsers",
  tag,
  method: "get",
  path: "/users",
  summary: "List users",
  role: "owner",
  query: PageQuery,
  status: 200,
  reply: pageOf(User, "UserPage"),
  errors: ["cursor_invalid"],
});
export const updateUser = defineOperation({
  id: "updateUser",
  tag,
  method: "patch",
  path: "/users/{userId}",
  summary: "Change a user's role, or block the user; at once",
  description: "An owner who is not blocked must be left.",
  role: "owner",
  params,
  body: UpdateUser,
  status: 200,
  reply: User,
  errors: ["user_not_found", "last_owner"],
});
export const removeUser = defineOperation({
  id: "removeUser",
  tag,
  method: "delete",
  path: "/users/{userId}",
  summary: "Remove a user, with all sessions and sign-in links",
  description:
    "Forgets the user: somebody whom the provider's rules let in comes back as a new viewer. To keep somebody out, block the user.",
  role: "owner",
  params,
  status: 204,
  errors: ["user_not_found", "last_owner"],
});
export const listSessions = defineOperation({
  id: "listSessions",
  tag,
  method: "get",
  path: "/sessions",
  summary: "List sessions that are good",
  description: "The caller's own, of which a token has none; owners may ask for another user's.",
  role: "viewer",
  query: PageQuery.extend({ userId: UserId.optional().describe("Whose; the caller's own when left out.") }),
  status: 200,
  reply: pageOf(Session, "SessionPage"),
  errors: ["cursor_invalid"],
});
export const revokeSession = defineOperation({
  id: "revokeSession",
  tag,
  method: "delete",
  path: "/sessions/{sessionId}",
  summary: "End a session, at once",
  description: "One's own; owners may end anybody's.",
  role: "viewer",
  params: z.object({ sessionId: SessionId }),
  status: 204,
  errors: ["session_not_found"],
});
