// The first 20 bytes of a STUN message (RFC 8489, section 5), for the method Binding alone.

/** Nobody here sends or answers an indication; known as STUN, one that comes is taken for no packet of WireGuard's. */
export type StunClass = "request" | "indication" | "success" | "error";

export const HEADER_BYTES = 20;
export const COOKIE = 0x2112_a442;

/** The method's bits with the class's two among them. */
const TYPES: Record<StunClass, number> = { request: 0x0001, indication: 0x0011, success: 0x0101, error: 0x0111 };
const CLASSES = new Map(Object.entries(TYPES).map(([name, type]) => [type, name as StunClass]));

export interface StunHeader {
  readonly class: StunClass;
  /** Bytes after the header, as the message says. */
  readonly length: number;
}

/** Null: not a Binding message. The length is not checked. */
export function readHeader(packet: Uint8Array): StunHeader | null {
  if (packet.length < HEADER_BYTES) return null;
  const view = new DataView(packet.buffer, packet.byteOffset, HEADER_BYTES);
  const found = CLASSES.get(view.getUint16(0));
  if (found === undefined || view.getUint32(4) !== COOKIE) return null;
  return { class: found, length: view.getUint16(2) };
}

export function renderHeader(messageClass: StunClass, transactionId: Uint8Array, length: number): Buffer {
  if (transactionId.length !== 12) throw new RangeError("a STUN transaction id has 12 bytes");
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(TYPES[messageClass], 0);
  header.writeUInt16BE(length, 2);
  header.writeUInt32BE(COOKIE, 4);
  header.set(transactionId, 8);
  return header;
}

/** The same header, telling another length. */
export function withLength(header: Uint8Array, length: number): Buffer {
  const copy = Buffer.from(header.subarray(0, HEADER_BYTES));
  copy.writeUInt16BE(length, 2);
  return copy;
}
