// Endpoints inside attributes: family, port, address; and the same XORed with cookie and transaction id, because NATs exist that
// rewrite their own address wherever they see it in a packet (RFC 8489, sections 14.1 and 14.2).
import ipaddr from "ipaddr.js";
import { type Endpoint, parseEndpoint, renderEndpoint } from "#schema/address";
import { COOKIE } from "./header.ts";

const FAMILIES = { ipv4: 1, ipv6: 2 } as const;
const ADDRESS_BYTES = new Map<number, number>([
  [FAMILIES.ipv4, 4],
  [FAMILIES.ipv6, 16],
]);

export function encodeEndpoint(endpoint: Endpoint): Buffer {
  const parts = parseEndpoint(endpoint);
  if (parts === null) throw new RangeError(`${endpoint} is no endpoint`);
  const address = ipaddr.parse(parts.address);
  const head = Buffer.from([0, FAMILIES[address.kind()], 0, 0]);
  head.writeUInt16BE(parts.port, 2);
  return Buffer.concat([head, Buffer.from(address.toByteArray())]);
}

/** Null: of no known family, too short or too long, or port 0. */
export function decodeEndpoint(value: Uint8Array): Endpoint | null {
  const bytes = Buffer.from(value);
  if (bytes.length < 8 || bytes.length !== 4 + (ADDRESS_BYTES.get(bytes[1] ?? 0) ?? 0)) return null;
  const port = bytes.readUInt16BE(2);
  const address = ipaddr.fromByteArray([...bytes.subarray(4)]);
  if (port === 0) return null;
  return renderEndpoint({ address: address instanceof ipaddr.IPv6 ? address.toRFC5952String() : `${address}`, port });
}

export function encodeXorEndpoint(endpoint: Endpoint, transactionId: Uint8Array): Buffer {
  return xor(encodeEndpoint(endpoint), transactionId);
}

export function decodeXorEndpoint(value: Uint8Array, transactionId: Uint8Array): Endpoint | null {
  return decodeEndpoint(xor(value, transactionId));
}

/** Its own inverse. */
function xor(value: Uint8Array, transactionId: Uint8Array): Buffer {
  const mask = Buffer.alloc(16);
  mask.writeUInt32BE(COOKIE);
  mask.set(transactionId, 4);
  const bytes = Buffer.from(value);
  for (let index = 2; index < bytes.length; index++) {
    const key = index < 4 ? mask[index - 2] : mask[index - 4];
    bytes[index] = (bytes[index] ?? 0) ^ (key ?? 0);
  }
  return bytes;
}
