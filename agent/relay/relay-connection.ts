// One side of a relay: sealed packets to and from the other machine of a pair, over a WebSocket (schema/wire/relay.ts).
//
//   opening ──► open, alone ◄──► open, together ──► over
//
// Packets wait in a bounded queue while there is nobody to take them, and while the network takes less than comes. It never connects
// anew: who wants another connection needs another ticket.
import type { MachineId, MeshId } from "#schema/ids";
import type { Result } from "#schema/result";
import { AGENT_PATHS } from "#schema/wire/enrolment";
import { PING, PONG } from "#schema/wire/messages";
import { FromRelayMessage, RELAY_ACK_EVERY_BYTES, RELAY_TICKET_HEADER, type RelayAck } from "#schema/wire/relay";
import { type ApiFailure, parseJson } from "../control/api-failure.ts";
import type { MachineApi } from "../control/machine-api.ts";
import { type SocketTimings, toSocketEnd } from "../control/socket.ts";
import { type LinkEnd, toLinkEnd } from "../control/transport.ts";
import type { Clock } from "../system/clock.ts";
import type { SocketPort } from "../system/http.ts";
import { createBatcher } from "./batcher.ts";
import { isCarriable, readFrame } from "./framing.ts";
import { createPacketQueue } from "./packet-queue.ts";

export interface RelayConnection {
  /** The packet is not to be changed afterwards. What no frame can carry is dropped. */
  send(packet: Uint8Array): void;
  /** Idempotent; no event comes after. */
  close(): void;
  /** For tests: that it keeps to its bounds is seen nowhere else. */
  stats(): { queuedBytes: number; droppedPackets: number };
}

export interface RelayEvents {
  /** A view of a frame: to keep it for long is to keep the frame. */
  onPacket(packet: Buffer): void;
  onPeerPresent(isPresent: boolean): void;
  /** Exactly once, unless closed. `code` is a LinkEnd's, `bad_frame`, or the problem that the control plane answered. */
  onEnd(end: { code: string; message: string }): void;
}

export interface Relays {
  /** Connects in the background. */
  open(options: RelayTarget, events: RelayEvents): RelayConnection;
}
export interface RelayTarget {
  readonly meshId: MeshId;
  readonly peerId: MachineId;
  readonly ticket: string;
}

export type RelayTimings = Pick<SocketTimings, "openTimeoutMs" | "pingIntervalMs" | "pongTimeoutMs">;

export interface RelayPorts {
  readonly api: Pick<MachineApi, "openSocket">;
  readonly clock: Clock;
  readonly timings: RelayTimings;
  readonly onOpen?: () => void;
}

const QUEUE_BYTES = 256 * 1024;
/** With this much unsent the network is slower than what comes: more would only grow older there. */
const MAX_BUFFERED_BYTES = 1024 * 1024;
/** Then sending waits until it is down to this. */
const RESUME_BUFFERED_BYTES = 512 * 1024;
/** 100 Mbit/s drain the difference in 40 ms. */
const DRAIN_LOOK_MS = 5;
/** Normal closure (RFC 6455 section 7.4.1). */
const GOING_AWAY = 1000;

export function createRelays(ports: RelayPorts): Relays {
  return {
    open(target, events) {
      ports.onOpen?.();
      return openRelay(ports, target, events);
    },
  };
}

function openRelay({ api, clock, timings }: RelayPorts, target: RelayTarget, events: RelayEvents): RelayConnection {
  const queue = createPacketQueue(QUEUE_BYTES);
  const batcher = createBatcher(clock, sendFrame);
  const opening = new AbortController();
  let socket: SocketPort | null = null;
  let isPeerPresent = false;
  let isCongested = false;
  let isOver = false;
  let receivedBytes = 0;
  let acknowledgedBytes = 0;
  let uncarriable = 0;
  let cancelPing = () => {};
  let cancelDeadline: (() => void) | null = null;
  let cancelDrain = () => {};

  function shut(): void {
    isOver = true;
    opening.abort();
    cancelPing();
    proveAlive();
    cancelDrain();
    batcher.stop();
    queue.clear();
    socket?.close(GOING_AWAY);
  }
  function finish(code: string, message: string): void {
    if (isOver) return;
    shut();
    events.onEnd({ code, message });
  }

  function start(opened: Result<SocketPort, ApiFailure>): void {
    if (!opened.ok) {
      finish(...toEnd(toLinkEnd(opened.error)));
      return;
    }
    if (isOver) {
      opened.value.close(GOING_AWAY);
      return;
    }
    socket = opened.value;
    schedulePing(socket);
    socket.listen({
      onText: receiveText,
      onBinary: receiveFrame,
      onClose: (code, reason) => finish(...toEnd(toSocketEnd(code, reason))),
    });
  }

  function schedulePing(open: SocketPort): void {
    cancelPing = clock.setTimer(timings.pingIntervalMs, () => {
      open.send(PING);
      const { pongTimeoutMs } = timings;
      cancelDeadline ??= clock.setTimer(pongTimeoutMs, () =>
        finish("network", `no answer to a ping within ${pongTimeoutMs / 1_000} s`),
      );
      schedulePing(open);
    });
  }

  function proveAlive(): void {
    cancelDeadline?.();
    cancelDeadline = null;
  }

  function receiveText(text: string): void {
    if (isOver) return;
    proveAlive();
    if (text === PONG) return;
    const message = FromRelayMessage.safeParse(parseJson(text));
    // What a newer relay says beyond this does not concern this agent.
    if (!message.success) return;
    isPeerPresent = message.data.isPresent;
    sendQueued();
    events.onPeerPresent(isPeerPresent);
  }

  function receiveFrame(frame: Buffer): void {
    if (isOver) return;
    proveAlive();
    receivedBytes += frame.length;
    const fault = readFrame(frame, deliver);
    if (fault !== null) finish("bad_frame", `the relay brought a frame that is not well formed: ${fault}`);
    if (isOver || receivedBytes - acknowledgedBytes < RELAY_ACK_EVERY_BYTES) return;
    acknowledgedBytes = receivedBytes;
    socket?.send(JSON.stringify({ type: "relay.ack", bytes: receivedBytes } satisfies RelayAck));
  }
  function deliver(packet: Buffer): void {
    if (!isOver) events.onPacket(packet);
  }

  function sendFrame(frame: Uint8Array): void {
    if (socket === null) return;
    socket.sendBinary(frame);
    if (isCongested || socket.bufferedBytes() <= MAX_BUFFERED_BYTES) return;
    isCongested = true;
    cancelDrain = clock.setTimer(DRAIN_LOOK_MS, lookAtDrain);
  }
  function lookAtDrain(): void {
    if (socket !== null && socket.bufferedBytes() > RESUME_BUFFERED_BYTES) {
      cancelDrain = clock.setTimer(DRAIN_LOOK_MS, lookAtDrain);
      return;
    }
    isCongested = false;
    // What drains is being taken at the other end. A ping waits behind all of it, on a slow line for longer than its pong may.
    proveAlive();
    sendQueued();
  }
  function sendQueued(): void {
    while (isPeerPresent && !isCongested) {
      const packet = queue.shift();
      if (packet === undefined) break;
      batcher.add(packet);
    }
    if (!isCongested) batcher.flush();
  }

  api
    .openSocket(
      AGENT_PATHS.relay(target.meshId, target.peerId),
      { timeoutMs: timings.openTimeoutMs, signal: opening.signal },
      { [RELAY_TICKET_HEADER]: target.ticket },
    )
    .then(start)
    .catch((error: unknown) => finish("internal_error", String(error)));

  return {
    send(packet) {
      if (isOver) return;
      if (!isCarriable(packet)) uncarriable++;
      else if (isPeerPresent && !isCongested) batcher.add(packet);
      else queue.push(packet);
    },
    close() {
      if (!isOver) shut();
    },
    stats: () => ({ queuedBytes: queue.bytes, droppedPackets: queue.dropped + uncarriable }),
  };
}

function toEnd(end: LinkEnd): [code: string, message: string] {
  return [end.code === "rejected" ? end.problem : end.code, end.message];
}
