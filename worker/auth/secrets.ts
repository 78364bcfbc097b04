// Random tokens, their hashes, and a comparison that tells nothing by its duration.
import { base64url } from "jose";

/** 32 random bytes in base64url behind a recognisable prefix. */
export const renderToken = (prefix: string, random: Uint8Array): string => prefix + base64url.encode(random);

/** SHA-256 in base64url. A slow hash is for passwords: these tokens have 256 random bits. */
export async function hashSecret(secret: string): Promise<string> {
  return base64url.encode(new Uint8Array(await digest(secret)));
}

export async function isSameSecret(left: string, right: string): Promise<boolean> {
  return crypto.subtle.timingSafeEqual(await digest(left), await digest(right));
}

const digest = (text: string): Promise<ArrayBuffer> => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
