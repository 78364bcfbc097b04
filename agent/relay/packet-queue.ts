// Packets that wait. Bounded by their bytes: what is newest is worth most, so the oldest goes.

export interface PacketQueue {
  /** Keeps the packet itself, not a copy. */
  push(packet: Uint8Array): void;
  /** The oldest. */
  shift(): Uint8Array | undefined;
  clear(): void;
  readonly bytes: number;
  /** How many were pushed and never taken. */
  readonly dropped: number;
}

export function createPacketQueue(maxBytes: number): PacketQueue {
  let packets: Uint8Array[] = [];
  // The oldest is at `head`; an array's own shift() moves all that follow.
  let head = 0;
  let bytes = 0;
  let dropped = 0;

  function shift(): Uint8Array | undefined {
    const packet = packets[head];
    if (packet === undefined) return undefined;
    bytes -= packet.length;
    head++;
    if (head === packets.length || head >= 256) {
      packets = packets.slice(head);
      head = 0;
    }
    return packet;
  }

  return {
    push(packet) {
      packets.push(packet);
      bytes += packet.length;
      while (bytes > maxBytes) {
        shift();
        dropped++;
      }
    },
    shift,
    clear() {
      packets = [];
      head = 0;
      bytes = 0;
    },
    get bytes() {
      return bytes;
    },
    get dropped() {
      return dropped;
    },
  };
}
