// What a relay may hand to WireGuard, whose one socket all peers share: packets that are WireGuard's by their looks, and handshakes at a pace at
// which a peer could mean them. Types and lengths as in section 5.4 of its paper.

/** Type → length in bytes; the three bytes after the type are zero. */
const LENGTHS = new Map([
  [1, 148],
  [2, 92],
  [3, 64],
]);
const TRANSPORT = 4;
const MIN_TRANSPORT_BYTES = 32;

export const isInitiation = (packet: Uint8Array): boolean => packet[0] === 1 && isWireGuard(packet);
export const isResponse = (packet: Uint8Array): boolean => packet[0] === 2 && isWireGuard(packet);

export function isWireGuard(packet: Uint8Array): boolean {
  // Thousands of packets a second come by here: no copies.
  if (packet[1] !== 0 || packet[2] !== 0 || packet[3] !== 0) return false;
  // Data is padded to a multiple of 16 bytes, but not beyond the interface's MTU: a full packet has any length.
  const type = packet[0] ?? 0;
  return type === TRANSPORT ? packet.length >= MIN_TRANSPORT_BYTES : LENGTHS.get(type) === packet.length;
}

export interface Admission {
  /** False: the packet is to be dropped. */
  admit(packet: Uint8Array, nowMs: number): boolean;
}

/** WireGuard begins a handshake every 5 s at most; each costs the one that gets it some 0.1 ms of a core. */
const HANDSHAKES_AT_ONCE = 10;
const HANDSHAKES_PER_SECOND = 1;

export function createAdmission(): Admission {
  let room = HANDSHAKES_AT_ONCE;
  let filledAtMs = Number.NEGATIVE_INFINITY;

  function takeHandshake(nowMs: number): boolean {
    const filled = room + (Math.max(0, nowMs - filledAtMs) * HANDSHAKES_PER_SECOND) / 1_000;
    room = Math.min(HANDSHAKES_AT_ONCE, filled);
    filledAtMs = nowMs;
    if (room < 1) return false;
    room--;
    return true;
  }

  return {
    admit: (packet, nowMs) => isWireGuard(packet) && (packet[0] === TRANSPORT || takeHandshake(nowMs)),
  };
}
