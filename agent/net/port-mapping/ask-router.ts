// One request to a router's port mapping service and its answer, over UDP, sent again while none comes.
import { renderEndpoint } from "#schema/address";
import type { Clock } from "../../system/clock.ts";
import type { UdpSocket, UdpSockets } from "../../system/udp.ts";
import type { Router } from "./mapping-protocol.ts";

/** Null: no answer, or none that `read` takes. Rejects when aborted. */
export type AskRouter = <T>(
  router: Router,
  request: Uint8Array,
  read: (packet: Buffer) => T | null,
  signal: AbortSignal,
) => Promise<T | null>;

/** NAT-PMP and PCP share it (RFC 6887 section 19). */
const SERVER_PORT = 5351;
/**
 * RFC 6886 section 3.1 begins with 250 ms and doubles, up to nine times. A router that serves a LAN answers at once or never, and
 * a mapping is only one way among several: four times is enough.
 */
const WAITS_MS = [250, 500, 1_000, 1_000];

export function createAskRouter(udp: UdpSockets, clock: Clock): AskRouter {
  return async (router, request, read, signal) => {
    signal.throwIfAborted();
    const server = renderEndpoint({ address: router.address, port: SERVER_PORT });
    const socket = await openAt(udp, router.localAddress);
    if (socket === null) return null;
    const done = new AbortController();
    try {
      const answer = new Promise<NonNullable<ReturnType<typeof read>>>((resolve) => {
        socket.listen((packet, from) => {
          const value = from === server ? read(packet) : null;
          if (value !== null) resolve(value as NonNullable<typeof value>);
        });
      });
      const waiting = AbortSignal.any([signal, done.signal]);
      for (const waitMs of WAITS_MS) {
        socket.send(request, server);
        const value = await Promise.race([answer, clock.sleep(waitMs, waiting).then(() => null)]);
        if (value !== null) return value;
      }
      return null;
    } finally {
      done.abort();
      socket.close();
    }
  };
}

/** Null: this machine has lost the address. */
export async function openAt(udp: UdpSockets, address: string): Promise<UdpSocket | null> {
  try {
    return await udp.open({ address });
  } catch {
    return null;
  }
}
