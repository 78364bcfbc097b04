// Where WireGuard believes a relayed peer to be: a UDP socket of the agent's own on 127.0.0.1.
import { type Endpoint, renderEndpoint } from "#schema/address";
import type { UdpSockets } from "../system/udp.ts";

export interface LoopbackSocket {
  /** 127.0.0.1 and its port. */
  readonly endpoint: Endpoint;
  /** Hands the packet to WireGuard, which takes it as coming from `endpoint`. */
  inject(packet: Uint8Array): void;
  close(): void;
}

const LOOPBACK = "127.0.0.1";

/** `onPacket` gets what WireGuard sends there, and nothing that another program does. */
export async function openLoopback(
  udp: UdpSockets,
  wireguardPort: number,
  onPacket: (packet: Buffer) => void,
): Promise<LoopbackSocket> {
  const wireguard = renderEndpoint({ address: LOOPBACK, port: wireguardPort });
  const socket = await udp.open({ address: LOOPBACK });
  socket.listen((packet, from) => {
    if (from === wireguard) onPacket(packet);
  });
  return {
    endpoint: renderEndpoint({ address: LOOPBACK, port: socket.port }),
    inject: (packet) => socket.send(packet, wireguard),
    close: () => socket.close(),
  };
}
