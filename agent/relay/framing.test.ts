import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_RELAY_FRAME_BYTES, MAX_RELAY_PACKET_BYTES } from "#schema/wire/relay";
import { createFrameWriter, type FrameFault, isCarriable, readFrame } from "./framing.ts";

const Packet = fc.uint8Array({ minLength: 1, maxLength: MAX_RELAY_PACKET_BYTES, size: "max" });

function read(frame: Uint8Array): { packets: Buffer[]; fault: FrameFault | null } {
  const packets: Buffer[] = [];
  const fault = readFrame(Buffer.from(frame), (packet) => packets.push(packet));
  return { packets, fault };
}

function toFrames(packets: readonly Uint8Array[]): Buffer[] {
  const writer = createFrameWriter();
  const frames: Buffer[] = [];
  for (const packet of packets) {
    if (writer.add(packet)) continue;
    frames.push(Buffer.from(writer.take()));
    if (!writer.add(packet)) throw new Error("an empty frame has no room");
  }
  if (!writer.isEmpty()) frames.push(Buffer.from(writer.take()));
  return frames;
}

describe("a frame", () => {
  test("is lengths and bytes", () => {
    const frames = toFrames([Uint8Array.of(1, 2, 3), Uint8Array.of(9)]);
    expect(frames.map((frame) => frame.toString("hex"))).toEqual(["0003010203000109"]);
  });

  test("brings any packets in their order, and none is larger than allowed", () => {
    fc.assert(
      fc.property(fc.array(Packet, { maxLength: 12 }), (packets) => {
        const frames = toFrames(packets);
        for (const frame of frames) expect(frame.length).toBeLessThanOrEqual(MAX_RELAY_FRAME_BYTES);
        const arrived = frames.map(read);
        expect(arrived.every(({ fault }) => fault === null)).toBe(true);
        expect(Buffer.concat(arrived.flatMap((each) => each.packets))).toEqual(Buffer.concat(packets));
        expect(arrived.flatMap((each) => each.packets.map(({ length }) => length))).toEqual(
          packets.map(({ length }) => length),
        );
      }),
      { numRuns: 50 },
    );
  });

  test("of hostile bytes never throws, and its packets are what was before the fault", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
        const { packets, fault } = read(bytes);
        const taken = packets.reduce((sum, packet) => sum + 2 + packet.length, 0);
        expect(packets.every(isCarriable)).toBe(true);
        expect(fault === null ? taken === bytes.length : taken <= bytes.length).toBe(true);
      }),
    );
  });

  test("cut anywhere loses its last packet only", () => {
    const [frame = Buffer.alloc(0)] = toFrames([Uint8Array.of(1, 2), Uint8Array.of(3, 4, 5)]);
    for (let length = 5; length < frame.length; length++) {
      expect(read(frame.subarray(0, length))).toEqual({ packets: [Buffer.of(1, 2)], fault: "truncated" });
    }
  });

  test.each<[string, Buffer, FrameFault | null]>([
    ["nothing", Buffer.alloc(0), null],
    ["one byte", Buffer.of(0), "truncated"],
    ["a packet without bytes", Buffer.of(0, 0), "empty_packet"],
    ["a packet larger than any", Buffer.of(0xff, 0xff, 1), "oversized_packet"],
    ["more than a frame", Buffer.alloc(MAX_RELAY_FRAME_BYTES + 1, 1), "oversized_frame"],
  ])("of %s", (_, frame, fault) => {
    expect(read(frame)).toEqual({ packets: [], fault });
  });
});
