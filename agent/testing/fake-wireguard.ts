// WireGuard at work on the devices of a fake kernel: it shakes hands, follows its peers to where their packets come from, and counts bytes.
// Nothing is encrypted: a packet begins with its type, as a real one, and carries the sender's key.
import type { Endpoint } from "#schema/address";
import type { WireGuardPublicKey } from "#schema/ids";
import type { Clock } from "../system/clock.ts";
import type { FakeKernel } from "./fake-kernel.ts";
import type { FakeDevice, FakePeer } from "./fake-kernel-state.ts";
import type { MemoryFiles } from "./memory-files.ts";

export interface FakeWireGuard {
  /** Sends this to the peer, after a handshake where there is no session. */
  send(interfaceName: string, publicKey: WireGuardPublicKey, text: string): void;
  /** A packet for one of the machine's ports. */
  receive(packet: Buffer, at: { readonly from: Endpoint; readonly port: number }): void;
  /** What came out of the tunnels, oldest first. */
  readonly received: string[];
}

interface Ports {
  readonly kernel: FakeKernel;
  readonly files: MemoryFiles;
  readonly clock: Clock;
  readonly send: (packet: Buffer, port: number, to: Endpoint) => void;
}

/** Message types and lengths (WireGuard protocol, section 5.4). */
const INITIATION = { type: 1, bytes: 148 };
const RESPONSE = { type: 2, bytes: 92 };
/** As long as what it carries. */
const DATA = { type: 4, bytes: 0 };
const KEY_CHARACTERS = 44;
const RETRY_MS = 5_000;
/** Reject-After-Time. */
const SESSION_MS = 180_000;

export function createFakeWireGuard({ kernel, files, clock, send }: Ports): FakeWireGuard {
  const received: string[] = [];
  /** What waits for a handshake, by the peer's key. */
  const waiting = new Map<string, string[]>();
  const packets = new Map<string, number>();

  function transmit(name: string, key: string, message: { type: number; bytes: number }, text = ""): void {
    const device = kernel.device(name);
    const peer = device.peers.get(key);
    if (peer?.endpoint == null) return;
    const head = Buffer.from([message.type, 0, 0, 0, ...Buffer.from(device.publicKey ?? "")]);
    const body = Buffer.concat([head, Buffer.from(text)]);
    // What a data packet carries is padded to a multiple of 16 bytes.
    const length = message.type === DATA.type ? Math.ceil(body.length / 16) * 16 : message.bytes;
    peer.sentBytes += length;
    count(name);
    send(
      Buffer.concat([body, Buffer.alloc(Math.max(0, length - body.length))]),
      device.listenPort,
      peer.endpoint as Endpoint,
    );
  }

  /** As the kernel's statistics of the interface do. */
  function count(name: string): void {
    packets.set(name, (packets.get(name) ?? 0) + 1);
    files.content.set(`/sys/class/net/${name}/statistics/tx_packets`, `${packets.get(name)}\n`);
  }

  const hasSession = (peer: FakePeer): boolean =>
    peer.latestHandshakeMs !== null && clock.wall() - peer.latestHandshakeMs < SESSION_MS;

  function shakeHands(name: string, key: string): void {
    const peer = kernel.links.get(name)?.device?.peers.get(key);
    if (peer === undefined || hasSession(peer) || !waiting.has(key)) return;
    transmit(name, key, INITIATION);
    clock.setTimer(RETRY_MS, () => shakeHands(name, key));
  }

  function flush(name: string, key: string): void {
    const texts = waiting.get(key) ?? [];
    waiting.delete(key);
    // Without data a keepalive confirms the session.
    for (const text of texts.length === 0 ? [""] : texts) transmit(name, key, DATA, text);
  }

  function take(name: string, device: FakeDevice, packet: Buffer, from: Endpoint): void {
    const key = packet.subarray(4, 4 + KEY_CHARACTERS).toString();
    const peer = device.peers.get(key);
    if (peer === undefined) return;
    peer.receivedBytes += packet.length;
    peer.endpoint = from;
    count(name);
    if (packet[0] === INITIATION.type) transmit(name, key, RESPONSE);
    if (packet[0] === RESPONSE.type) {
      peer.latestHandshakeMs = clock.wall();
      flush(name, key);
    }
    if (packet[0] !== DATA.type) return;
    if (!hasSession(peer)) peer.latestHandshakeMs = clock.wall();
    const text = packet
      .subarray(4 + KEY_CHARACTERS)
      .toString()
      .replaceAll("\0", "");
    if (text !== "") received.push(text);
  }

  return {
    received,
    send(name, key, text) {
      const peer = kernel.peer(name, key);
      if (hasSession(peer)) return transmit(name, key, DATA, text);
      const isFirst = !waiting.has(key);
      waiting.set(key, [...(waiting.get(key) ?? []), text]);
      if (isFirst) shakeHands(name, key);
    },
    receive(packet, { from, port }) {
      for (const [name, { device }] of kernel.links) {
        if (device !== null && device.listenPort === port) take(name, device, packet, from);
      }
    },
  };
}
