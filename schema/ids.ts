// Branded identifiers and keys. Their schemas are the only way to make one. Private keys have no schema: they never leave the agent.
import { z } from "zod";

/** Prefix of each kind of identifier; the rest is a lower-case Crockford ULID, so identifiers sort by time of creation. */
export const ID_PREFIXES = {
  mesh: "msh_",
  machine: "mch_",
  joinToken: "jtk_",
  apiToken: "atk_",
  auditEvent: "aud_",
  route: "rt_",
  vip: "vip_",
  policySet: "pol_",
  user: "usr_",
  session: "ses_",
  loginLink: "lnk_",
  rollout: "rol_",
} as const;

const ulidId = (prefix: string, of: string) =>
  z
    .string()
    .regex(new RegExp(`^${prefix}[0-7][0-9a-hjkmnp-tv-z]{25}$`), `must be the id of ${of}: ${prefix} and a ULID`)
    .meta({ description: `The id of ${of}.`, examples: [`${prefix}01kaqx4d8e6v2m9t7w3hncz5rb`] });

export const MeshId = ulidId(ID_PREFIXES.mesh, "a mesh").brand<"MeshId">();
export type MeshId = z.infer<typeof MeshId>;

export const MachineId = ulidId(ID_PREFIXES.machine, "a machine").brand<"MachineId">();
export type MachineId = z.infer<typeof MachineId>;

export const JoinTokenId = ulidId(ID_PREFIXES.joinToken, "a join token").brand<"JoinTokenId">();
export type JoinTokenId = z.infer<typeof JoinTokenId>;

export const ApiTokenId = ulidId(ID_PREFIXES.apiToken, "an API token").brand<"ApiTokenId">();
export type ApiTokenId = z.infer<typeof ApiTokenId>;

export const AuditEventId = ulidId(ID_PREFIXES.auditEvent, "an audit event").brand<"AuditEventId">();
export type AuditEventId = z.infer<typeof AuditEventId>;

export const RouteId = ulidId(ID_PREFIXES.route, "a route").brand<"RouteId">();
export type RouteId = z.infer<typeof RouteId>;

export const VipId = ulidId(ID_PREFIXES.vip, "a VIP").brand<"VipId">();
export type VipId = z.infer<typeof VipId>;

export const PolicySetId = ulidId(ID_PREFIXES.policySet, "a policy set").brand<"PolicySetId">();
export type PolicySetId = z.infer<typeof PolicySetId>;
export const UserId = ulidId(ID_PREFIXES.user, "a user").brand<"UserId">();
export type UserId = z.infer<typeof UserId>;

export const SessionId = ulidId(ID_PREFIXES.session, "a session").brand<"SessionId">();
export type SessionId = z.infer<typeof SessionId>;

export const LoginLinkId = ulidId(ID_PREFIXES.loginLink, "a sign-in link").brand<"LoginLinkId">();
export type LoginLinkId = z.infer<typeof LoginLinkId>;

export const RolloutId = ulidId(ID_PREFIXES.rollout, "a roll-out").brand<"RolloutId">();
export type RolloutId = z.infer<typeof RolloutId>;

/** 32 bytes in canonical base64, as `wg pubkey` prints them: 43 characters and one `=`. */
export const WireGuardPublicKey = z
  .string()
  .regex(/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/, "must be a WireGuard public key: 32 bytes in base64")
  .meta({
    description: "A WireGuard public key: 32 bytes in base64.",
    examples: ["xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="],
  })
  .brand<"WireGuardPublicKey">();
export type WireGuardPublicKey = z.infer<typeof WireGuardPublicKey>;

/** An Ed25519 public key: 32 bytes in base64url without padding, the `x` of its JWK (RFC 8037). */
export const IdentityPublicKey = z
  .string()
  .regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/, "must be an Ed25519 public key: 32 bytes in base64url")
  .brand<"IdentityPublicKey">();
export type IdentityPublicKey = z.infer<typeof IdentityPublicKey>;

const CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz";

/**
 * Renders a ULID (https://github.com/ulid/spec), lower-case.
 * @param nowMs milliseconds since the epoch, 48 bits of it are used
 * @param random at least 16 random bytes, each gives one of 16 characters (5 bits)
 */
export function renderUlid(nowMs: number, random: Uint8Array): string {
  let time = "";
  let rest = nowMs;
  for (let index = 0; index < 10; index++) {
    time = CROCKFORD.charAt(rest % 32) + time;
    rest = Math.floor(rest / 32);
  }
  let tail = "";
  for (const byte of random.subarray(0, 16)) {
    tail += CROCKFORD.charAt(byte & 31);
  }
  return time + tail;
}
