// Port Control Protocol (RFC 6887), as much of it as maps a UDP port. Pure.
import { Ipv4 } from "#schema/address";
import { ok } from "#schema/result";
import { type RouterReply, toRefusal } from "./ask-router.ts";

const VERSION = 2;
const OP_ANNOUNCE = 0;
const OP_MAP = 1;
const REPLY_BIT = 0x80;
const HEADER_BYTES = 24;
const MAP_BYTES = 36;
const PROTOCOL_UDP = 17;
export const PCP_NONCE_BYTES = 12;

const RESULT_SUCCESS = 0;
const RESULT_UNSUPPORTED_VERSION = 1;
/** Section 7.4. */
const RESULTS: Readonly<Record<number, string>> = {
  2: "not for this machine",
  3: "it did not understand the request",
  4: "it does not know this request",
  5: "it does not know an option",
  6: "it did not understand an option",
  7: "it has no connection itself",
  8: "it has no room for more",
  9: "it does not map UDP",
  10: "this machine has too many mappings",
  11: "it has no such external address",
  12: "there is another NAT in between",
  13: "too many remote peers",
};

export interface PcpMapping {
  readonly externalAddress: Ipv4;
  readonly externalPort: number;
  readonly lifetimeSeconds: number;
}

/** Asks only whether somebody is there (section 14.1). */
export function renderAnnounce(localAddress: string): Buffer {
  return renderHeader(OP_ANNOUNCE, 0, localAddress);
}

export interface PcpMapRequest {
  readonly localAddress: string;
  readonly nonce: Buffer;
  readonly port: number;
  readonly externalPort: number;
  /** 0 releases. */
  readonly lifetimeSeconds: number;
}

export function renderPcpMap({ localAddress, nonce, port, externalPort, lifetimeSeconds }: PcpMapRequest): Buffer {
  const map = Buffer.alloc(MAP_BYTES);
  nonce.copy(map, 0);
  map[12] = PROTOCOL_UDP;
  map.writeUInt16BE(port, 16);
  map.writeUInt16BE(externalPort, 18);
  // Any IPv4 address: all zeros, IPv4-mapped (section 5).
  renderIpv4("0.0.0.0").copy(map, 20);
  return Buffer.concat([renderHeader(OP_MAP, lifetimeSeconds, localAddress), map]);
}

/** True for any answer of a router that speaks this version; null: no answer to this request. */
export function parseAnnounceReply(packet: Buffer): true | null {
  return isReply(packet, OP_ANNOUNCE) && packet[3] !== RESULT_UNSUPPORTED_VERSION ? true : null;
}

export function parsePcpMapReply(packet: Buffer, nonce: Buffer, port: number): RouterReply<PcpMapping> | null {
  if (!isReply(packet, OP_MAP) || packet.length < HEADER_BYTES + MAP_BYTES) return null;
  const map = packet.subarray(HEADER_BYTES);
  if (!map.subarray(0, PCP_NONCE_BYTES).equals(nonce) || map.readUInt16BE(16) !== port) return null;
  const result = packet[3] ?? 0;
  if (result !== RESULT_SUCCESS) return toRefusal(RESULTS, result);
  return ok({
    externalAddress: Ipv4.parse(map.subarray(32, 36).join(".")),
    externalPort: map.readUInt16BE(18),
    lifetimeSeconds: packet.readUInt32BE(4),
  });
}

function isReply(packet: Buffer, opcode: number): boolean {
  return packet.length >= HEADER_BYTES && packet[0] === VERSION && packet[1] === opcode + REPLY_BIT;
}

function renderHeader(opcode: number, lifetimeSeconds: number, localAddress: string): Buffer {
  const header = Buffer.alloc(8);
  header[0] = VERSION;
  header[1] = opcode;
  header.writeUInt32BE(lifetimeSeconds, 4);
  return Buffer.concat([header, renderIpv4(localAddress)]);
}

/** As an IPv4-mapped IPv6 address. */
function renderIpv4(address: string): Buffer {
  const mapped = Buffer.alloc(16);
  mapped.fill(0xff, 10, 12);
  mapped.set(address.split(".").map(Number), 12);
  return mapped;
}
