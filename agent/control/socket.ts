// Messages over a WebSocket: one per frame. A text ping, answered by the runtime without waking the object, finds dead TCP.
import { err, ok } from "#schema/result";
import { CLOSE_CODES } from "#schema/wire/close-codes";
import { PING, PONG } from "#schema/wire/messages";
import type { Clock } from "../system/clock.ts";
import type { SocketPort } from "../system/http.ts";
import { parseJson } from "./api-failure.ts";
import type { MachineApi } from "./machine-api.ts";
import { type Channel, type ChannelEvents, type LinkEnd, type Transport, toLinkEnd } from "./transport.ts";

export interface SocketTimings {
  readonly openTimeoutMs: number;
  readonly pingIntervalMs: number;
  /** The connection is dead when nothing at all came this long after a ping. */
  readonly pongTimeoutMs: number;
  /** The same when there is reason to doubt that it lives. */
  readonly probeTimeoutMs: number;
}

/** Normal closure (RFC 6455 section 7.4.1). */
const GOING_AWAY = 1000;

export function createSocketTransport(api: MachineApi, clock: Clock, timings: SocketTimings): Transport {
  return {
    name: "websocket",
    async open(target, signal) {
      const opened = await api.openSocket(target.path, { timeoutMs: timings.openTimeoutMs, signal });
      if (!opened.ok) return err(toLinkEnd(opened.error));
      const channel = createSocketChannel(opened.value, clock, timings);
      channel.send(target.greet());
      return ok(channel);
    },
  };
}

function createSocketChannel(socket: SocketPort, clock: Clock, timings: SocketTimings): Channel {
  let cancelPing = () => {};
  let cancelDeadline = () => {};
  let events: ChannelEvents | null = null;
  let isOver = false;

  function shut(): void {
    isOver = true;
    cancelPing();
    cancelDeadline();
  }
  function finish(end: LinkEnd): void {
    if (isOver) return;
    shut();
    socket.close(GOING_AWAY);
    events?.onEnd(end);
  }
  /** Also while messages come in: the other side reads from the pings that this machine is there. */
  function schedulePing(): void {
    cancelPing = clock.setTimer(timings.pingIntervalMs, () => {
      ping(timings.pongTimeoutMs);
      schedulePing();
    });
  }
  function ping(timeoutMs: number): void {
    socket.send(PING);
    cancelDeadline();
    cancelDeadline = clock.setTimer(timeoutMs, () =>
      finish({ code: "network", message: `no answer to a ping within ${timeoutMs / 1_000} s` }),
    );
  }

  return {
    listen: (listener) => {
      if (isOver) return;
      events = listener;
      schedulePing();
      socket.listen({
        onText: (text) => {
          if (isOver) return;
          // Whatever it is, it proves that the other side lives.
          cancelDeadline();
          if (text !== PONG) listener.onMessage(parseJson(text));
        },
        onClose: (code, reason) => finish(toSocketEnd(code, reason)),
      });
    },
    send: (message) => {
      if (!isOver) socket.send(JSON.stringify(message));
    },
    probe: () => {
      if (isOver) return;
      if (socket.isOrphaned()) finish({ code: "network", message: "this machine's address changed" });
      else ping(timings.probeTimeoutMs);
    },
    close: () => {
      if (isOver) return;
      shut();
      socket.close(GOING_AWAY);
    },
  };
}

export function toSocketEnd(code: number, reason: string): LinkEnd {
  const because = (text: string) => (reason === "" ? text : `${text}: ${reason}`);
  switch (code) {
    case CLOSE_CODES.removed:
      return { code: "removed", message: because("removed") };
    case CLOSE_CODES.replaced:
      return {
        code: "replaced",
        message: because("another connection of this machine took over; is there a copy of it?"),
      };
    case CLOSE_CODES.wireVersion:
      return { code: "wire_version", message: because("the agent's version does not suit the control plane") };
    case CLOSE_CODES.rateLimited:
      return { code: "busy", message: because("too many messages"), retryAfterMs: null };
    case CLOSE_CODES.badMessage:
      return { code: "rejected", problem: "bad_message", message: because("a message was not understood") };
    default:
      return { code: "network", message: because(`the connection ended (${code})`) };
  }
}
