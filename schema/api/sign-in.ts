import { z } from "zod";
import { LoginLinkId, UserId } from "../ids.ts";
import { Timestamp } from "../timestamp.ts";
import { Actor } from "./audit-events.ts";
import { defineOperation, Role } from "./operation.ts";
import { Session, User, UserName } from "./users.ts";

const tag = "sign-in";

/** Paths for browsers, beside the API. */
export const SIGN_IN_PATHS = {
  /** Begins at the provider; `?returnTo=/path` says where to go afterwards. */
  oidc: "/api/sign-in/oidc",
  oidcCallback: "/api/sign-in/oidc/callback",
  /** The dashboard's page. What went wrong comes as `?error=CODE&requestId=…`, a one-time link's token as `#link=…`. */
  page: "/sign-in",
} as const;

/** Recognisable for people and secret scanners. */
export const LOGIN_LINK_PREFIX = "bkl_";
export const LOGIN_LINK_FRAGMENT = "link";

/** Why a sign-in at the provider did not work, in the query of the sign-in page. */
export const SignInError = z.enum([
  "not_configured",
  "attempt_invalid",
  "provider_refused",
  "provider_unavailable",
  "provider_invalid",
  "not_allowed",
  "user_blocked",
  "rate_limited",
]);
export type SignInError = z.infer<typeof SignInError>;

export const SignInOptions = z
  .object({
    oidc: z
      .object({
        name: z.string().meta({ description: "What people know the provider by.", examples: ["id.example.org"] }),
        path: z.string().meta({
          description: "Where the browser goes to begin; takes `returnTo`, a path of this origin.",
          examples: [SIGN_IN_PATHS.oidc],
        }),
      })
      .nullable()
      .describe("The OpenID provider; null: there is none."),
  })
  .meta({ id: "SignInOptions", description: "How people can sign in. A one-time link always works." });
export type SignInOptions = z.infer<typeof SignInOptions>;

export const Me = z
  .object({
    actor: Actor,
    role: Role,
    user: User.nullable().describe("The person who is signed in; null for a token."),
    session: Session.nullable().describe("The session of this request; null for a token."),
    permissions: z.array(z.string()).meta({
      description: "The ids of the operations that the role allows.",
      examples: [["listMeshes", "getMesh"]],
    }),
  })
  .meta({ id: "Me", description: "Who calls, and what for." });
export type Me = z.infer<typeof Me>;

export const SignInByLink = z
  .object({
    token: z
      .string()
      .max(128)
      .meta({
        description: "What stands in the link behind `#link=`.",
        examples: [`${LOGIN_LINK_PREFIX}Zm9vYmFyYmF6cXV4cXV1eGNvcmdlZ3JhdWx0Z2FycGx`],
      }),
  })
  .meta({ id: "SignInByLink" });
export type SignInByLink = z.infer<typeof SignInByLink>;

export const CreateLoginLink = z
  .object({
    userId: UserId.optional().describe("For this user, wherever the user comes from."),
    name: UserName.optional().meta({
      description: "Or for the user of this name that links are made for; made when there is none.",
      examples: ["owner"],
    }),
    role: Role.optional().meta({
      description:
        "With `name`: the new user's role, viewer when left out; of a user that is there it must be the role.",
      examples: ["owner"],
    }),
    expiresInSeconds: z
      .number()
      .int()
      .min(60)
      .max(86_400)
      .default(600)
      .meta({ description: "How long the link is good for.", examples: [600] }),
  })
  .refine(({ userId, name }) => (userId === undefined) !== (name === undefined), {
    path: ["name"],
    message: "say for whom: either name or userId",
  })
  .meta({ id: "CreateLoginLink" });
export type CreateLoginLink = z.infer<typeof CreateLoginLink>;

export const CreatedLoginLink = z
  .object({
    id: LoginLinkId,
    user: User.describe("Who signs in with it."),
    url: z.string().meta({
      description: "The link. It is in this answer and nowhere else: only a hash of its token is stored.",
      examples: [
        `https://becket.example.org/sign-in#link=${LOGIN_LINK_PREFIX}Zm9vYmFyYmF6cXV4cXV1eGNvcmdlZ3JhdWx0Z2FycGx`,
      ],
    }),
    expiresAt: Timestamp.describe("When it ends."),
  })
  .meta({ id: "CreatedLoginLink", description: "A link that signs in once." });
export type CreatedLoginLink = z.infer<typeof CreatedLoginLink>;

export const getSignInOptions = defineOperation({
  id: "getSignInOptions",
  tag,
  method: "get",
  path: "/sign-in",
  summary: "How people can sign in",
  role: "anyone",
  status: 200,
  reply: SignInOptions,
  errors: [],
});
export const signInByLink = defineOperation({
  id: "signInByLink",
  tag,
  method: "post",
  path: "/sign-in/link",
  summary: "Sign in with the token of a one-time link",
  description:
    "For browsers: needs the header Origin of this control plane. The answer sets the session's cookie, and the link is used up.",
  role: "anyone",
  body: SignInByLink,
  status: 204,
  errors: ["login_link_invalid", "user_blocked"],
});
export const signOut = defineOperation({
  id: "signOut",
  tag,
  method: "post",
  path: "/sign-out",
  summary: "Sign out",
  description:
    "Ends the session of the cookie, closes the WebSockets that came with it, and takes the cookie away. For browsers: needs the header Origin of this " +
    "control plane. Does nothing where nobody is signed in.",
  role: "anyone",
  status: 204,
  errors: [],
});
export const getMe = defineOperation({
  id: "getMe",
  tag,
  method: "get",
  path: "/me",
  summary: "Who is signed in, or whose token it is, and what that allows",
  role: "viewer",
  status: 200,
  reply: Me,
  errors: [],
});
export const createLoginLink = defineOperation({
  id: "createLoginLink",
  tag,
  method: "post",
  path: "/login-links",
  summary: "Create a link that signs a user in once; it is shown once",
  role: "owner",
  body: CreateLoginLink,
  status: 201,
  reply: CreatedLoginLink,
  isIdempotencyKeyAccepted: true,
  errors: ["user_not_found", "user_blocked", "name_taken"],
});
