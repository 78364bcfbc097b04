import { base64url } from "jose";
import type { IdentityPublicKey } from "#schema/ids";
import { type EnrolmentRequest, toEnrolmentText } from "#schema/wire/enrolment";
import { importIdentityKey } from "../auth/identity-keys.ts";

/** True when the sender holds the private half of the identity key, and means this token. */
export const isProofValid = ({ token, identityKey, signature }: EnrolmentRequest): Promise<boolean> =>
  isSignedText(toEnrolmentText(token, identityKey), identityKey, signature);

export async function isSignedText(
  signed: string,
  identityKey: IdentityPublicKey,
  signature: string,
): Promise<boolean> {
  try {
    const key = await importIdentityKey(identityKey);
    const text = new TextEncoder().encode(signed);
    return await crypto.subtle.verify("Ed25519", key, new Uint8Array(base64url.decode(signature)), text);
  } catch {
    // 32 bytes that are no point of the curve make no key, and so no valid signature.
    return false;
  }
}
