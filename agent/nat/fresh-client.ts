// A STUN client on a socket of its own, for tests that must not touch what WireGuard's port has opened in the NAT.

import type { Endpoint } from "#schema/address";
import { createStunClient, type StunClient } from "../stun/stun-client.ts";
import type { Clock } from "../system/clock.ts";
import type { UdpSocket, UdpSockets } from "../system/udp.ts";

export interface FreshClient extends StunClient {
  readonly socket: Pick<UdpSocket, "port" | "send">;
}

export interface FreshClientOptions {
  readonly udp: UdpSockets;
  readonly clock: Clock;
  /** What arrives and answers nothing that was asked. */
  readonly onOther?: (packet: Buffer, from: Endpoint) => void;
}

/** The socket is closed when `use` is through. */
export async function withFreshClient<T>(
  { udp, clock, onOther }: FreshClientOptions,
  use: (client: FreshClient) => Promise<T>,
): Promise<T> {
  const socket = await udp.open();
  try {
    const client = createStunClient({ socket, clock });
    socket.listen((packet, from) => {
      if (!client.receive(packet, from)) onOther?.(packet, from);
    });
    return await use({ ...client, socket });
  } finally {
    socket.close();
  }
}
