// What the agent says and hears on WireGuard's port in one mesh: a socket of its own, whose packets the packet rules give that port on the way
// out, and whose answers they bring back to it.
import type { Endpoint } from "#schema/address";
import type { MeshId } from "#schema/ids";
import { isStunPacket } from "../stun/codec.ts";
import { createStunClient, type StunClient } from "../stun/stun-client.ts";
import type { UdpSocket } from "../system/udp.ts";
import type { PathPorts } from "./path-ports.ts";

export interface Probe {
  /** False: nothing can leave from WireGuard's port. */
  isOpen(): boolean;
  /** As `isOpen`; until that is known, true: a path that was guessed meanwhile would be written over one that works. */
  mayOpen(): boolean;
  /** From WireGuard's port, or not at all. */
  send(packet: Uint8Array, to: Endpoint): void;
  /** Null as well when nothing can leave. */
  readonly binding: StunClient["binding"];
  /** Resolves with the client when packets can leave, with null when it was closed meanwhile. Rejects when there is no socket to be had. */
  open(): Promise<StunClient | null>;
  /** Idempotent; may come before `open` has resolved. */
  close(): void;
}

export interface ProbeOptions {
  readonly meshId: MeshId;
  readonly listenPort: number;
  /** A check, or the answer to one: STUN that answers no question of the client's. */
  readonly onCheck: (packet: Buffer, from: Endpoint, reply: (answer: Uint8Array) => void) => void;
}

export function createProbe(options: ProbeOptions, ports: Pick<PathPorts, "udp" | "rules" | "clock">): Probe {
  const { meshId, listenPort, onCheck } = options;
  const { udp, rules, clock } = ports;
  let socket: UdpSocket | null = null;
  let ready: { readonly socket: UdpSocket; readonly client: StunClient } | null = null;
  let isOpening = true;
  let isClosed = false;

  async function openSocket(): Promise<StunClient | null> {
    const opened = await udp.open();
    if (isClosed) {
      opened.close();
      return null;
    }
    socket = opened;
    const client = createStunClient({ socket: opened, clock });
    opened.listen((packet, from) => {
      if (client.receive(packet, from) || !isStunPacket(packet)) return;
      onCheck(packet, from, (answer) => opened.send(answer, from));
    });
    await rules.setPort(meshId, listenPort, opened.port);
    if (isClosed) return null;
    // Only now: what left before did so from another port, and what a server saw of that would lead nowhere.
    ready = { socket: opened, client };
    return client;
  }

  const isOpen = () => ready !== null && rules.problem() === null;
  return {
    isOpen,
    mayOpen: () => isOpening || isOpen(),
    send: (packet, to) => ready?.socket.send(packet, to),
    binding: async (server, how) => (await ready?.client.binding(server, how)) ?? null,
    async open() {
      try {
        return await openSocket();
      } finally {
        isOpening = false;
      }
    },
    close() {
      isClosed = true;
      socket?.close();
    },
  };
}
