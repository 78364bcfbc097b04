import { expect, it } from "vitest";
import { createAdmission, isWireGuard } from "./wireguard-packets.ts";

const toPacket = (type: number, length: number, reserved = 0) => {
  const packet = Buffer.alloc(length);
  packet.set([type, reserved], 0);
  return packet;
};

it.each([
  ["an initiation", toPacket(1, 148), true],
  ["a response", toPacket(2, 92), true],
  ["a cookie reply", toPacket(3, 64), true],
  ["a keepalive", toPacket(4, 32), true],
  ["a full packet of an interface with an MTU of 1,420 bytes", toPacket(4, 1_452), true],
  ["an initiation of another length", toPacket(1, 149), false],
  ["a response of another length", toPacket(2, 148), false],
  ["a transport packet without its tag", toPacket(4, 16), false],
  ["another type", toPacket(5, 64), false],
  ["reserved bytes that are set", toPacket(4, 32, 1), false],
  ["nothing", Buffer.alloc(0), false],
  ["three bytes", Buffer.from([4, 0, 0]), false],
])("%s is WireGuard's: %#", (_, packet, expected) => {
  expect(isWireGuard(packet)).toBe(expected);
});

it("handshakes pass at a pace at which a peer could mean them, data at any", () => {
  const admission = createAdmission();
  const admitted = (packet: Buffer, count: number, nowMs: number) =>
    Array.from({ length: count }, () => admission.admit(packet, nowMs)).filter(Boolean).length;
  expect(admitted(toPacket(1, 148), 1_000, 5_000)).toBe(10);
  expect(admitted(toPacket(4, 32), 1_000, 5_000)).toBe(1_000);
  expect(admitted(toPacket(2, 92), 10, 7_000)).toBe(2);
  expect(admitted(toPacket(1, 148), 1_000, 600_000)).toBe(10);
});
