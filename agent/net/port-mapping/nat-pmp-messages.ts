// NAT-PMP (RFC 6886): requests, and what a router answers. Pure.
import { Ipv4 } from "#schema/address";
import { ok } from "#schema/result";
import { type RouterReply, toRefusal } from "./ask-router.ts";

const VERSION = 0;
const OP_EXTERNAL_ADDRESS = 0;
const OP_MAP_UDP = 1;
/** Section 3.5: a reply's opcode is the request's with the highest bit set. */
const REPLY_BIT = 128;

/** Section 3.5. */
const RESULTS: Readonly<Record<number, string>> = {
  1: "it does not speak this version",
  2: "port mapping is switched off, or not for this machine",
  3: "it has no connection itself",
  4: "it has no room for more",
  5: "it does not know this request",
};

export function renderAddressRequest(): Buffer {
  return Buffer.of(VERSION, OP_EXTERNAL_ADDRESS);
}

/** `lifetimeSeconds` 0 releases; the external port is then to be 0 too (section 3.4). */
export function renderMapRequest(port: number, externalPort: number, lifetimeSeconds: number): Buffer {
  const request = Buffer.alloc(12);
  request[1] = OP_MAP_UDP;
  request.writeUInt16BE(port, 4);
  request.writeUInt16BE(externalPort, 6);
  request.writeUInt32BE(lifetimeSeconds, 8);
  return request;
}

/** Null: no answer to this request. */
export function parseAddressReply(packet: Buffer): RouterReply<Ipv4> | null {
  return parseReply(packet, OP_EXTERNAL_ADDRESS, 12, () => Ipv4.parse(packet.subarray(8, 12).join(".")));
}

export interface NatPmpMapping {
  readonly externalPort: number;
  readonly lifetimeSeconds: number;
}

export function parseMapReply(packet: Buffer, port: number): RouterReply<NatPmpMapping> | null {
  const reply = parseReply(packet, OP_MAP_UDP, 16, () => ({
    internalPort: packet.readUInt16BE(8),
    externalPort: packet.readUInt16BE(10),
    lifetimeSeconds: packet.readUInt32BE(12),
  }));
  return reply?.ok && reply.value.internalPort !== port ? null : reply;
}

function parseReply<T>(packet: Buffer, opcode: number, length: number, read: () => T): RouterReply<T> | null {
  if (packet.length < 4 || packet[0] !== VERSION || packet[1] !== opcode + REPLY_BIT) return null;
  const result = packet.readUInt16BE(2);
  if (result !== 0) return toRefusal(RESULTS, result);
  return packet.length < length ? null : ok(read());
}
