// Answers of creates hold tokens that are shown once, so what is stored is sealed with a key that only the caller's own token gives:
// AES-256-GCM, key by HKDF-SHA-256 from the bearer token, salted with the idempotency key. Stolen rows open nothing.
import { base64url } from "jose";
import { z } from "zod";

export const Answer = z.object({ status: z.number().int(), body: z.unknown() });
export type Answer = z.infer<typeof Answer>;

export interface SealingSecret {
  readonly callerToken: string;
  readonly idempotencyKey: string;
}

const NONCE_BYTES = 12;

export async function sealAnswer(
  answer: Answer,
  secret: SealingSecret,
  nonce: Uint8Array<ArrayBuffer>,
): Promise<string> {
  const key = await deriveKey(secret);
  const text = new TextEncoder().encode(JSON.stringify(answer));
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce }, key, text);
  return `${base64url.encode(nonce)}.${base64url.encode(new Uint8Array(sealed))}`;
}

/** Throws when the row was not sealed with this secret. */
export async function openAnswer(sealedAnswer: string, secret: SealingSecret): Promise<Answer> {
  const [nonce = "", sealed = ""] = sealedAnswer.split(".");
  const key = await deriveKey(secret);
  const iv = new Uint8Array(base64url.decode(nonce));
  const text = await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, new Uint8Array(base64url.decode(sealed)));
  return Answer.parse(JSON.parse(new TextDecoder().decode(text)));
}

/** A nonce for `sealAnswer`: a key seals few answers (one per claim), so 96 random bits never meet again. */
export const createNonce = (random: (byteLength: number) => Uint8Array<ArrayBuffer>) => random(NONCE_BYTES);

async function deriveKey({ callerToken, idempotencyKey }: SealingSecret): Promise<CryptoKey> {
  const encoder = new TextEncoder();
  const material = await crypto.subtle.importKey("raw", encoder.encode(callerToken), "HKDF", false, ["deriveKey"]);
  const parameters = {
    name: "HKDF",
    hash: "SHA-256",
    salt: encoder.encode(idempotencyKey),
    info: encoder.encode("becket idempotent answer v1"),
  };
  return crypto.subtle.deriveKey(parameters, material, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}
