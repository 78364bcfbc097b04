// POST /agent/v1/machine/identity-key, with a machine token: a machine replaces the key that it signs with.
import { z } from "zod";
import { IdentityPublicKey } from "../ids.ts";
import { Ed25519Signature } from "./enrolment.ts";

/** The former key is still taken for this long: isolates of the Worker know a key for a minute, and what is under way is signed with it. */
export const IDENTITY_OVERLAP_MS = 120_000;

/** Both signatures are over `toIdentityKeyText`. The former key's says which key it means: the token alone would let whoever saw it name another. */
export const IdentityKeyRequest = z.object({
  identityKey: IdentityPublicKey,
  signature: Ed25519Signature,
  formerSignature: Ed25519Signature,
});
export type IdentityKeyRequest = z.infer<typeof IdentityKeyRequest>;

/** Posting again answers the same, with a token of either key. */
export const IdentityKeyReply = z.object({ identityKey: IdentityPublicKey });
export type IdentityKeyReply = z.infer<typeof IdentityKeyReply>;

/** The leading words keep the signatures from meaning anything elsewhere. */
export const toIdentityKeyText = (keys: {
  readonly machineId: string;
  readonly formerKey: string;
  readonly identityKey: string;
}): string => `becket identity key v1\n${keys.machineId}\n${keys.formerKey}\n${keys.identityKey}`;
