// What STUN takes from node:crypto and node:zlib: keyed hashes, the checksum of FINGERPRINT, unguessable transaction ids.
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { crc32 as zlibCrc32 } from "node:zlib";

export type HmacAlgorithm = "sha1" | "sha256";

export function hmac(algorithm: HmacAlgorithm, key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  const hash = createHmac(algorithm, key);
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** In a time that doesn't depend on where they differ. */
export function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && timingSafeEqual(left, right);
}

/** ITU-T V.42, unsigned. */
export const crc32 = (bytes: Uint8Array): number => zlibCrc32(bytes);

/** 96 bits that nobody off the path can guess (RFC 8489, section 5). */
export const createTransactionId = (): Buffer => randomBytes(12);
