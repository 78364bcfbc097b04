import { base64url } from "jose";
import type { IdentityPublicKey, MachineId } from "#schema/ids";
import { type EnrolmentRequest, toEnrolmentText } from "#schema/wire/enrolment";
import { type IdentitySuccession, toIdentityKeyText } from "#schema/wire/identity-key";
import { importIdentityKey } from "../auth/identity-keys.ts";

/** True when the sender holds the private half of the identity key, and means this token. */
export const isProofValid = ({ token, identityKey, signature }: EnrolmentRequest): Promise<boolean> =>
  isSignedText(toEnrolmentText(token, identityKey), identityKey, signature);

/** True when each of the two keys means the other. The former one comes first: who does not have it gets no further. */
export async function isSuccessionValid(
  machineId: MachineId,
  { formerKey, identityKey, signature, formerSignature }: IdentitySuccession,
): Promise<boolean> {
  const text = toIdentityKeyText({ machineId, formerKey, identityKey });
  return (await isSignedText(text, formerKey, formerSignature)) && (await isSignedText(text, identityKey, signature));
}

async function isSignedText(signed: string, identityKey: IdentityPublicKey, signature: string): Promise<boolean> {
  try {
    const key = await importIdentityKey(identityKey);
    const text = new TextEncoder().encode(signed);
    return await crypto.subtle.verify("Ed25519", key, new Uint8Array(base64url.decode(signature)), text);
  } catch {
    // 32 bytes that are no point of the curve make no key, and so no valid signature.
    return false;
  }
}
