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

/**
 * `onPacket` gets what WireGuard sends there, and nothing that another program does.
 * @param port the one to have if it is free, because WireGuard sends there already
 */
export async function openLoopback(
  udp: UdpSockets,
  wireguardPort: number,
  onPacket: (packet: Buffer) => void,
  port?: number,
): Promise<LoopbackSocket> {
  const wireguard = renderEndpoint({ address: LOOPBACK, port: wireguardPort });
  const socket = await openPort(udp, port);
  socket.listen((packet, from) => {
    if (from === wireguard) onPacket(packet);
  });
  return {
    endpoint: renderEndpoint({ address: LOOPBACK, port: socket.port }),
    inject: (packet) => socket.send(packet, wireguard),
    close: () => socket.close(),
  };
}

async function openPort(udp: UdpSockets, port: number | undefined) {
  if (port === undefined) return udp.open({ address: LOOPBACK });
  try {
    return await udp.open({ address: LOOPBACK, port });
  } catch {
    // Somebody else has it by now: WireGuard is told another one.
    return udp.open({ address: LOOPBACK });
  }
}
