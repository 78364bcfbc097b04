// STUN messages (RFC 8489) of the one method that we speak, Binding, with the attributes of NAT behaviour discovery (RFC 5780) and ICE's
// USE-CANDIDATE. Pure; nothing that comes from the network makes it throw.
//
//   0        2         4        8                20
//   │ type   │ length  │ cookie │ transaction id │ attributes … MESSAGE-INTEGRITY, MESSAGE-INTEGRITY-SHA256, FINGERPRINT
import { decodeAttribute, encodeAttributes, isRequired, type StunAttributes } from "./attributes.ts";
import { HEADER_BYTES, readHeader, renderHeader, type StunClass } from "./header.ts";
import {
  appendFingerprint,
  appendIntegrity,
  FINGERPRINT,
  FINGERPRINT_BYTES,
  hasRightFingerprint,
  INTEGRITY,
  INTEGRITY_SHA256,
  type IntegrityAlgorithm,
  type IntegrityKey,
  isRightIntegrity,
} from "./integrity.ts";

export type { StunAttributes, StunClass };

export interface StunMessage {
  readonly class: StunClass;
  /** 12 bytes. */
  readonly transactionId: Buffer;
  readonly attributes: StunAttributes;
}

export interface RenderOptions {
  readonly integrity?: IntegrityKey;
  readonly hasFingerprint?: boolean;
}

export interface ParsedStun extends StunMessage {
  readonly hasFingerprint: boolean;
  /** The bytes, and where in them the integrity attributes begin: see isIntact. */
  readonly packet: Buffer;
  readonly integrityOffsets: IntegrityOffsets;
}

type IntegrityOffsets = Readonly<Partial<Record<IntegrityAlgorithm, number>>>;

/** Tells STUN from WireGuard on one port, by type and magic cookie: WireGuard's packets begin with 01 00 to 04 00. */
export function isStunPacket(packet: Uint8Array): boolean {
  return readHeader(packet) !== null;
}

/** Throws on what can't be said in STUN, such as a user name of 600 bytes: that is a mistake of ours. */
export function renderStun(message: StunMessage, options: RenderOptions = {}): Buffer {
  const { transactionId } = message;
  const body = encodeAttributes(message.attributes, transactionId);
  const bare = Buffer.concat([renderHeader(message.class, transactionId, body.length), body]);
  const signed = options.integrity === undefined ? bare : appendIntegrity(bare, options.integrity);
  return options.hasFingerprint ? appendFingerprint(signed) : signed;
}

/** Null: not a Binding message, malformed, or its FINGERPRINT is wrong. The result shares the packet's memory. */
export function parseStun(bytes: Uint8Array): ParsedStun | null {
  const packet = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = readHeader(packet);
  if (header === null || header.length !== packet.length - HEADER_BYTES || header.length % 4 !== 0) return null;
  const walked = walk(packet);
  if (walked === null) return null;
  const { fingerprintOffset, integrityOffsets } = walked;
  if (fingerprintOffset !== null && !hasRightFingerprint(packet, fingerprintOffset)) return null;
  const transactionId = packet.subarray(8, HEADER_BYTES);
  const attributes = decode(walked.attributes, transactionId);
  if (attributes === null) return null;
  const hasFingerprint = fingerprintOffset !== null;
  return { class: header.class, transactionId, attributes, hasFingerprint, packet, integrityOffsets };
}

/**
 * Whether the message has an integrity attribute of this algorithm, made with this key. A message without one is not intact; nor is one
 * with a shortened SHA-256, to which nobody here agreed (section 14.6).
 */
export function isIntact(parsed: ParsedStun, key: Uint8Array, algorithm: IntegrityAlgorithm = "sha256"): boolean {
  const offset = parsed.integrityOffsets[algorithm];
  return offset !== undefined && isRightIntegrity(parsed.packet, offset, { key, algorithm });
}

interface RawAttribute {
  readonly type: number;
  readonly value: Buffer;
}

interface Walked {
  readonly attributes: readonly RawAttribute[];
  readonly integrityOffsets: IntegrityOffsets;
  readonly fingerprintOffset: number | null;
}

/** After an integrity attribute only the stronger one and FINGERPRINT count; after FINGERPRINT comes nothing (sections 14.5 to 14.7). */
function walk(packet: Buffer): Walked | null {
  const attributes: RawAttribute[] = [];
  const integrityOffsets: { sha1?: number; sha256?: number } = {};
  for (let offset = HEADER_BYTES; offset < packet.length; ) {
    const type = packet.readUInt16BE(offset);
    const length = packet.readUInt16BE(offset + 2);
    const end = offset + 4 + length;
    if (end > packet.length) return null;
    if (type === FINGERPRINT) {
      const isLast = end === packet.length && length === FINGERPRINT_BYTES;
      return isLast ? { attributes, integrityOffsets, fingerprintOffset: offset } : null;
    }
    const { sha1, sha256 } = integrityOffsets;
    if (sha256 === undefined) {
      if (type === INTEGRITY_SHA256) integrityOffsets.sha256 = offset;
      else if (sha1 === undefined && type === INTEGRITY) integrityOffsets.sha1 = offset;
      else if (sha1 === undefined) attributes.push({ type, value: packet.subarray(offset + 4, end) });
    }
    // Values are padded to 32 bits.
    offset = end + ((4 - (length % 4)) % 4);
  }
  return { attributes, integrityOffsets, fingerprintOffset: null };
}

/** Of attributes that come twice the first counts. One that has to be understood and is malformed spoils the message. */
function decode(raw: readonly RawAttribute[], transactionId: Buffer): StunAttributes | null {
  const attributes: StunAttributes = {};
  const unknownRequired: number[] = [];
  const seen = new Set<number>();
  for (const { type, value } of raw) {
    if (seen.has(type)) continue;
    seen.add(type);
    const decoded = decodeAttribute(type, value, transactionId);
    if (decoded === "malformed" && isRequired(type)) return null;
    if (decoded === "unknown" && isRequired(type)) unknownRequired.push(type);
    if (typeof decoded === "object") Object.assign(attributes, decoded);
  }
  return unknownRequired.length === 0 ? attributes : { ...attributes, unknownRequired };
}
