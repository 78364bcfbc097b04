// One question over UDP, from a socket of its own, sent again while no answer comes.
import type { Endpoint } from "#schema/address";
import type { Clock } from "../../system/clock.ts";
import type { UdpSocket, UdpSockets } from "../../system/udp.ts";

export interface Question<T> {
  /** This machine's address that it is sent from. */
  readonly localAddress: string;
  readonly send: (socket: UdpSocket) => void;
  /** Null: no answer to this question. */
  readonly read: (packet: Buffer, from: Endpoint) => T | null;
  /** How long to wait for an answer each time that it was sent. */
  readonly waitsMs: readonly number[];
  readonly signal: AbortSignal;
}

/** Null: no answer, or this machine has lost the address. Rejects when aborted. */
export async function sendUntilAnswered<T>(
  { udp, clock }: { readonly udp: UdpSockets; readonly clock: Clock },
  { localAddress, send, read, waitsMs, signal }: Question<T>,
): Promise<T | null> {
  signal.throwIfAborted();
  const socket = await openAt(udp, localAddress);
  if (socket === null) return null;
  const done = new AbortController();
  try {
    const answer = new Promise<T>((resolve) => {
      socket.listen((packet, from) => {
        const value = read(packet, from);
        if (value !== null) resolve(value);
      });
    });
    const waiting = AbortSignal.any([signal, done.signal]);
    for (const waitMs of waitsMs) {
      send(socket);
      const value = await Promise.race([answer, clock.sleep(waitMs, waiting).then(() => null)]);
      if (value !== null) return value;
    }
    return null;
  } finally {
    // The wait that lost the race ends too: its timer would hold on to all of this.
    done.abort();
    socket.close();
  }
}

async function openAt(udp: UdpSockets, address: string): Promise<UdpSocket | null> {
  try {
    return await udp.open({ address });
  } catch {
    // Nothing can be asked from an address that is gone; the change of the network starts the next round.
    return null;
  }
}
