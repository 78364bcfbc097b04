// What an OpenID provider answers, as far as it is used here (OpenID Connect Core 1.0, Discovery 1.0; RFC 6749). Fields that are not read
// are not here, so a provider may say in them what it likes.
import { z } from "zod";

const Text = z.string().min(1).max(16_384);

export const ProviderMetadata = z.object({
  issuer: Text,
  authorization_endpoint: z.url(),
  token_endpoint: z.url(),
  jwks_uri: z.url(),
  userinfo_endpoint: z.url().optional(),
  /** Left out: client_secret_basic (Discovery 1.0 section 3). */
  token_endpoint_auth_methods_supported: z.array(z.string()).default(["client_secret_basic"]),
  /** RFC 9207: the answer in the browser names its issuer. */
  authorization_response_iss_parameter_supported: z.boolean().default(false),
});
export type ProviderMetadata = z.infer<typeof ProviderMetadata>;

export const TokenReply = z.object({
  access_token: Text,
  token_type: z.string().regex(/^bearer$/i),
  id_token: Text,
});
export type TokenReply = z.infer<typeof TokenReply>;

export const TokenErrorReply = z.object({ error: z.string().max(200) });

/** What says who somebody is: claims of the ID token, and of the UserInfo endpoint. */
export const PersonClaims = z.looseObject({
  sub: z.string().min(1).max(255),
  name: z.string().optional().catch(undefined),
  preferred_username: z.string().optional().catch(undefined),
  email: z.email().max(254).optional().catch(undefined),
  /** Some providers write it as text. */
  email_verified: z
    .union([z.boolean(), z.enum(["true", "false"]).transform((text) => text === "true")])
    .optional()
    .catch(undefined),
});
export type PersonClaims = z.infer<typeof PersonClaims>;

export const IdTokenClaims = PersonClaims.extend({
  iat: z.number(),
  exp: z.number(),
  nonce: z.string(),
  aud: z.union([z.string(), z.array(z.string()).min(1)]),
  azp: z.string().optional(),
  at_hash: z.string().optional(),
});
export type IdTokenClaims = z.infer<typeof IdTokenClaims>;

/** The provider's answer in the browser's address. */
export const AuthorizationReply = z.object({
  state: z.string().max(512).optional(),
  code: z.string().min(1).max(4_096).optional(),
  error: z.string().max(200).optional(),
  iss: z.string().max(2_048).optional(),
});
export type AuthorizationReply = z.infer<typeof AuthorizationReply>;

/** What the browser keeps between the two halves of a sign-in, in a cookie that only this control plane reads. */
export const SignInAttempt = z.object({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  /** A path of the dashboard. */
  returnTo: z.string(),
});
export type SignInAttempt = z.infer<typeof SignInAttempt>;
