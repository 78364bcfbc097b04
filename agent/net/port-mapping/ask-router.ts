// One request to a router's port mapping service and its answer, over UDP.
import { renderEndpoint } from "#schema/address";
import { err, type Result } from "#schema/result";
import type { Clock } from "../../system/clock.ts";
import type { UdpSockets } from "../../system/udp.ts";
import type { Router } from "./mapping-protocol.ts";
import { sendUntilAnswered } from "./send-until-answered.ts";

/** Null: no answer, or none that `read` takes. Rejects when aborted. */
export type AskRouter = <T>(
  router: Router,
  request: Uint8Array,
  read: (packet: Buffer) => T | null,
  signal: AbortSignal,
) => Promise<T | null>;

/** What a router answered: what was asked for, or why not, as the rest of a sentence. */
export type RouterReply<T> = Result<T, { readonly problem: string }>;

/** By a protocol's table of result codes. */
export const toRefusal = (results: Readonly<Record<number, string>>, code: number) =>
  err({ problem: results[code] ?? `it answered ${code}` });

/** NAT-PMP and PCP share it (RFC 6887 section 19). */
const SERVER_PORT = 5351;
/**
 * RFC 6886 section 3.1 begins with 250 ms and doubles, up to nine times. A router that serves a LAN answers at once or never, and
 * a mapping is only one way among several: four times is enough.
 */
const WAITS_MS = [250, 500, 1_000, 1_000];

export function createAskRouter(udp: UdpSockets, clock: Clock): AskRouter {
  return ({ address, localAddress }, request, read, signal) => {
    const server = renderEndpoint({ address, port: SERVER_PORT });
    return sendUntilAnswered(
      { udp, clock },
      {
        ...{ localAddress, waitsMs: WAITS_MS, signal },
        send: (socket) => socket.send(request, server),
        read: (packet, from) => (from === server ? read(packet) : null),
      },
    );
  };
}
