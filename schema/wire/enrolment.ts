// POST /agent/v1/enrolments: a machine exchanges a join token for a place in the control plane.
import { z } from "zod";
import { IdentityPublicKey, MachineId, MeshId } from "../ids.ts";
import { AgentInfo } from "../machine.ts";
import { Name } from "../mesh.ts";

/** Prefixes make a leaked token recognisable to scanners. */
export const JOIN_TOKEN_PREFIX = "bkj_";
export const API_TOKEN_PREFIX = "bkt_";

/** The token itself: 32 random bytes in base64url behind the prefix. The API's JoinToken is what is known of one. */
export const JoinTokenSecret = z
  .string()
  .regex(/^bkj_[A-Za-z0-9_-]{43}$/, "must be a join token: bkj_ and 43 characters");

export const Ed25519Signature = z.string().regex(/^[A-Za-z0-9_-]{86}$/, "must be an Ed25519 signature in base64url");

export const EnrolmentRequest = z.object({
  token: JoinTokenSecret,
  identityKey: IdentityPublicKey,
  /** Ed25519 over `toEnrolmentText(token, identityKey)`, base64url: proves that the sender holds the private key. */
  signature: Ed25519Signature,
  /** The host name; the control plane makes it a unique machine name. */
  hostname: z.string().max(255),
  agent: AgentInfo,
});
export type EnrolmentRequest = z.infer<typeof EnrolmentRequest>;

/** Posting again with the same key and token gives the same machine: a lost answer costs nothing. */
export const EnrolmentReply = z.object({
  machineId: MachineId,
  name: Name,
  meshes: z.array(z.object({ meshId: MeshId, name: Name })),
});
export type EnrolmentReply = z.infer<typeof EnrolmentReply>;

/** The text that an enrolment signs. The leading words keep the signature from meaning anything elsewhere. */
export const toEnrolmentText = (token: string, identityKey: string): string =>
  `becket enrolment v1\n${token}\n${identityKey}`;

/** Claims of a machine token, which is a JWT (EdDSA). `htm` and `htu` bind it to one method and path, as in DPoP (RFC 9449). */
export const MachineClaims = z.object({
  iss: MachineId,
  aud: z.string(),
  iat: z.number().int(),
  exp: z.number().int(),
  jti: z.string().min(16).max(64),
  htm: z.string(),
  /** The request's path, without query. */
  htu: z.string(),
});
export type MachineClaims = z.infer<typeof MachineClaims>;

/** Paths of the machine API. */
export const AGENT_PATHS = {
  enrolments: "/agent/v1/enrolments",
  machineSync: "/agent/v1/machine/sync",
  identityKey: "/agent/v1/machine/identity-key",
  meshSync: (meshId: string) => `/agent/v1/meshes/${meshId}/sync`,
  relay: (meshId: string, peerId: string) => `/agent/v1/relays/${meshId}/${peerId}`,
} as const;
