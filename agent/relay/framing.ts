// How packets share a relay's binary frame: each is a 16-bit length (big endian) and that many bytes (schema/wire/relay.ts).
import { MAX_RELAY_FRAME_BYTES, MAX_RELAY_PACKET_BYTES } from "#schema/wire/relay";

const LENGTH_BYTES = 2;

/** Collects packets into one frame, in memory that it uses again and again. */
export interface FrameWriter {
  /** False: no room any more, take the frame first. A packet that no frame may carry is an error of the caller: see `isCarriable`. */
  add(packet: Uint8Array): boolean;
  isEmpty(): boolean;
  /** The frame so far, and an empty one begins. What it returns is valid until the next `add`. */
  take(): Uint8Array;
}

export function isCarriable(packet: Uint8Array): boolean {
  return packet.length > 0 && packet.length <= MAX_RELAY_PACKET_BYTES;
}

export function createFrameWriter(): FrameWriter {
  const frame = Buffer.allocUnsafe(MAX_RELAY_FRAME_BYTES);
  let length = 0;
  return {
    add(packet) {
      const end = length + LENGTH_BYTES + packet.length;
      if (end > MAX_RELAY_FRAME_BYTES) return false;
      frame.writeUInt16BE(packet.length, length);
      frame.set(packet, length + LENGTH_BYTES);
      length = end;
      return true;
    },
    isEmpty: () => length === 0,
    take() {
      const taken = frame.subarray(0, length);
      length = 0;
      return taken;
    },
  };
}

export type FrameFault = "oversized_frame" | "truncated" | "empty_packet" | "oversized_packet";

/** Gives the packets before the first fault, as views of the frame. Null: the whole frame was well formed. */
export function readFrame(frame: Buffer, onPacket: (packet: Buffer) => void): FrameFault | null {
  if (frame.length > MAX_RELAY_FRAME_BYTES) return "oversized_frame";
  for (let at = 0; at < frame.length; ) {
    const start = at + LENGTH_BYTES;
    if (start > frame.length) return "truncated";
    const length = frame.readUInt16BE(at);
    if (length === 0) return "empty_packet";
    if (length > MAX_RELAY_PACKET_BYTES) return "oversized_packet";
    at = start + length;
    if (at > frame.length) return "truncated";
    onPacket(frame.subarray(start, at));
  }
  return null;
}
