// MESSAGE-INTEGRITY, MESSAGE-INTEGRITY-SHA256 and FINGERPRINT (RFC 8489, sections 14.5 to 14.7). Each covers the message up to itself,
// under a header whose length counts the attribute itself and nothing after it.
import { crc32, type HmacAlgorithm, hmac, isEqual } from "../system/stun-crypto.ts";
import { HEADER_BYTES, withLength } from "./header.ts";

export type IntegrityAlgorithm = HmacAlgorithm;

export const INTEGRITY = 0x0008;
export const INTEGRITY_SHA256 = 0x001c;
export const FINGERPRINT = 0x8028;
export const FINGERPRINT_BYTES = 4;

const FINGERPRINT_XOR = 0x5354_554e;
const TYPES: Record<IntegrityAlgorithm, number> = { sha1: INTEGRITY, sha256: INTEGRITY_SHA256 };
const BYTES: Record<IntegrityAlgorithm, number> = { sha1: 20, sha256: 32 };

export interface IntegrityKey {
  readonly key: Uint8Array;
  readonly algorithm: IntegrityAlgorithm;
}

export function appendIntegrity(message: Buffer, { key, algorithm }: IntegrityKey): Buffer {
  const value = digest(message, message.length, { key, algorithm });
  return append(message, TYPES[algorithm], value);
}

export function isRightIntegrity(packet: Buffer, offset: number, { key, algorithm }: IntegrityKey): boolean {
  const value = packet.subarray(offset + 4, offset + 4 + packet.readUInt16BE(offset + 2));
  return isEqual(value, digest(packet, offset, { key, algorithm }));
}

export function appendFingerprint(message: Buffer): Buffer {
  const value = Buffer.alloc(FINGERPRINT_BYTES);
  value.writeUInt32BE(checksum(message, message.length));
  return append(message, FINGERPRINT, value);
}

export function hasRightFingerprint(packet: Buffer, offset: number): boolean {
  return packet.readUInt32BE(offset + 4) === checksum(packet, offset);
}

function digest(packet: Buffer, offset: number, { key, algorithm }: IntegrityKey): Buffer {
  const header = withLength(packet, offset - HEADER_BYTES + 4 + BYTES[algorithm]);
  return hmac(algorithm, key, header, packet.subarray(HEADER_BYTES, offset));
}

function checksum(packet: Buffer, offset: number): number {
  const header = withLength(packet, offset - HEADER_BYTES + 4 + FINGERPRINT_BYTES);
  return (crc32(Buffer.concat([header, packet.subarray(HEADER_BYTES, offset)])) ^ FINGERPRINT_XOR) >>> 0;
}

function append(message: Buffer, type: number, value: Buffer): Buffer {
  const attribute = Buffer.alloc(4);
  attribute.writeUInt16BE(type, 0);
  attribute.writeUInt16BE(value.length, 2);
  const header = withLength(message, message.length - HEADER_BYTES + 4 + value.length);
  return Buffer.concat([header, message.subarray(HEADER_BYTES), attribute, value]);
}
