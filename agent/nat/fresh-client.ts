// A STUN client on a socket of its own, for tests that must not touch what WireGuard's port has opened in the NAT.
import type { Endpoint } from "#schema/address";
import { createStunClient, type StunClient } from "../stun/stun-client.ts";
import type { Clock } from "../system/clock.ts";
import type { UdpSocket, UdpSockets } from "../system/udp.ts";

export interface FreshClient extends StunClient {
  readonly socket: Pick<UdpSocket, "port" | "send" | "close">;
}

export interface FreshClientOptions {
  readonly udp: UdpSockets;
  readonly clock: Clock;
  /** What arrives and answers nothing that was asked. */
  readonly onOther?: (packet: Buffer, from: Endpoint) => void;
}

export async function openFreshClient({ udp, clock, onOther }: FreshClientOptions): Promise<FreshClient> {
  const socket = await udp.open();
  const client = createStunClient({ socket, clock });
  socket.listen((packet, from) => {
    if (!client.receive(packet, from)) onOther?.(packet, from);
  });
  return { ...client, socket };
}

/** The socket is closed when `use` is through. */
export async function withFreshClient<T>(
  options: FreshClientOptions,
  use: (client: FreshClient) => Promise<T>,
): Promise<T> {
  const client = await openFreshClient(options);
  try {
    return await use(client);
  } finally {
    client.socket.close();
  }
}
