// POST /agent/v1/machine/identity-key, with a machine token: a machine replaces the key that it signs with.
import { z } from "zod";
import { IdentityPublicKey } from "../ids.ts";
import { Ed25519Signature } from "./enrolment.ts";

/** The former key is still taken for this long: isolates of the Worker know a key for a minute, and what is under way is signed with it. */
export const IDENTITY_OVERLAP_MS = 120_000;

/** The machine keeps its last ones: so many replacements a backup may be older than, which the control plane is restored from. */
export const MAX_SUCCESSIONS = 16;

/**
 * One identity key took another's place. Both signatures are over `toIdentityKeyText`: the new key's proves that its holder means it, the former key's
 * that it means this one. There is no secret in it.
 */
export const IdentitySuccession = z.object({
  formerKey: IdentityPublicKey,
  identityKey: IdentityPublicKey,
  signature: Ed25519Signature,
  formerSignature: Ed25519Signature,
});
export type IdentitySuccession = z.infer<typeof IdentitySuccession>;

/** A succession whose former key is the one that is known, or the one that the last of the earlier ones names. */
export const IdentityKeyRequest = IdentitySuccession.omit({ formerKey: true }).extend({
  /** Oldest first. For a control plane that knows the former key of one of them: then the token is signed by `identityKey`. */
  earlier: z
    .array(IdentitySuccession)
    .max(MAX_SUCCESSIONS - 1)
    .default([]),
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

/** The successions that lead from the key that is known to the one that is asked for; null: these don't. Signatures are not looked at. */
export function findChain(
  { earlier, ...last }: IdentityKeyRequest,
  known: IdentityPublicKey,
): readonly IdentitySuccession[] | null {
  const chain = [...earlier, { formerKey: earlier.at(-1)?.identityKey ?? known, ...last }];
  const isLinked = chain.every(({ formerKey }, index) => index === 0 || formerKey === chain[index - 1]?.identityKey);
  const first = chain.findIndex(({ formerKey }) => formerKey === known);
  return isLinked && first !== -1 ? chain.slice(first) : null;
}
