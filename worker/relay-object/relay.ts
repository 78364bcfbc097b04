// The two sockets of a pair, and what passes between them. Frames are not looked into: they are sealed from end to end.
import { z } from "zod";
import { MachineId } from "#schema/ids";
import { MAX_RELAY_FRAME_BYTES, type RelayAck, type RelayPeer, ToRelayMessage } from "#schema/wire/relay";
import { toClose } from "../durable/close-reason.ts";
import { createDecoder, messageTypesOf } from "../durable/decode-message.ts";
import { createSockets, type Socket } from "../durable/sockets.ts";
import type { Failure } from "../failure.ts";
import { type Logger, toErrorFields } from "../log.ts";
import { createFlow, type Flow } from "./flow.ts";
import { createFrameRate } from "./frame-rate.ts";

export interface Relay {
  open(machineId: MachineId, peerId: MachineId): Response;
  receive(webSocket: WebSocket, frame: string | ArrayBuffer): void;
  closed(webSocket: WebSocket): void;
}

/** A packet's length and the shortest packet that passes here: a STUN header (RFC 8489). WireGuard's shortest has 32 bytes. */
const MIN_FRAME_BYTES = 2 + 20;

const FALSE_ACKNOWLEDGEMENT: Failure = { code: "bad_request", detail: "more was acknowledged than was sent" };

const SocketState = z.object({
  peerId: MachineId,
  /** The counters of its flow, as of the newest frame: they begin with the connection, and so outlive hibernation with it. */
  sentBytes: z.number(),
  ackedBytes: z.number(),
  /** What it was told last; null: nothing yet. */
  isPeerPresent: z.boolean().nullable(),
  /** When both sides were members of the mesh, milliseconds since the epoch. */
  membersAt: z.number().default(0),
});
type RelaySocket = Socket<z.infer<typeof SocketState>>;

/** A ticket says who is a member for a minute; a relay lasts for longer. */
const ASK_MEMBERS_EVERY_MS = 600_000;
/** When the mesh did not answer. */
const ASK_AGAIN_AFTER_MS = 60_000;

const decoder = createDecoder(ToRelayMessage, messageTypesOf(ToRelayMessage));

export interface RelayParts {
  readonly now: () => number;
  readonly log: Logger;
  /** Whether these are members of the relay's mesh, both of them. */
  readonly areMembers: (machineIds: readonly MachineId[]) => Promise<boolean>;
}

export function createRelay(ctx: DurableObjectState, { now, log, areMembers }: RelayParts): Relay {
  const sockets = createSockets(ctx, SocketState);
  // What waits in them is lost when the object hibernates: it does so only when nobody has sent for ten seconds.
  const flows = new WeakMap<RelaySocket, Flow>();
  const judge = createFrameRate();
  let askedAt = Number.NEGATIVE_INFINITY;

  function flowTo(socket: RelaySocket): Flow {
    const flow = flows.get(socket) ?? createFlow(socket.state);
    flows.set(socket, flow);
    return flow;
  }

  function send(socket: RelaySocket, { counters }: Flow, frames: readonly ArrayBuffer[]): void {
    for (const frame of frames) socket.send(frame);
    socket.state = { ...socket.state, ...counters };
    socket.save();
  }

  function forward(from: RelaySocket, frame: ArrayBuffer): Failure | null {
    if (frame.byteLength > MAX_RELAY_FRAME_BYTES) {
      return { code: "body_too_large", detail: `a frame has at most ${MAX_RELAY_FRAME_BYTES} bytes` };
    }
    const to = sockets.of(from.state.peerId);
    // While the other side is not there, its packets wait at the agent that sends them.
    if (to === null || frame.byteLength < MIN_FRAME_BYTES) return null;
    const flow = flowTo(to);
    const sendable = flow.offer(frame);
    if (sendable.length > 0) send(to, flow, sendable);
    return null;
  }

  function receiveText(from: RelaySocket, text: string): Failure | null {
    const decoded = decoder.decodeFrame(text);
    if (!decoded.ok) return decoded.error;
    for (const type of decoded.value.unknownTypes) log.debug("ignored a message of unknown type", { type });
    for (const message of decoded.value.messages) if (!acknowledge(from, message)) return FALSE_ACKNOWLEDGEMENT;
    return null;
  }

  function acknowledge(from: RelaySocket, { bytes }: RelayAck): boolean {
    const flow = flowTo(from);
    if (bytes > flow.counters.sentBytes) return false;
    send(from, flow, flow.acknowledge(bytes));
    return true;
  }

  /** Only while something passes: a relay that nobody uses costs the mesh nothing. What passes meanwhile is not held up. */
  function askMembers({ machineId, state }: RelaySocket): void {
    const isDue = now() - state.membersAt >= ASK_MEMBERS_EVERY_MS && now() - askedAt >= ASK_AGAIN_AFTER_MS;
    if (!isDue) return;
    askedAt = now();
    areMembers([machineId, state.peerId]).then(takeMembers, (error: unknown) =>
      log.warn("a mesh did not say whether a relay's sides are members", toErrorFields(error)),
    );
  }
  function takeMembers(areStill: boolean): void {
    for (const socket of [...sockets.list()]) {
      if (areStill) {
        socket.state = { ...socket.state, membersAt: now() };
        socket.save();
      } else dismiss(socket, { code: "not_a_member", detail: "one of the two is no member of the mesh" });
    }
  }

  function tell(socket: RelaySocket | null, isPresent: boolean): void {
    if (socket === null || socket.state.isPeerPresent === isPresent) return;
    socket.state = { ...socket.state, isPeerPresent: isPresent };
    socket.save();
    socket.send(JSON.stringify({ type: "relay.peer", isPresent } satisfies RelayPeer));
  }

  function dismiss({ machineId, state }: RelaySocket, failure: Failure): void {
    log.info("closed a relay's socket", { machineId, code: failure.code });
    sockets.dismiss(machineId, toClose(failure));
    tell(sockets.of(state.peerId), false);
  }

  return {
    open(machineId, peerId) {
      const state = { peerId, sentBytes: 0, ackedBytes: 0, isPeerPresent: null, membersAt: now() };
      const response = sockets.accept(machineId, state, now());
      tell(sockets.of(machineId), sockets.of(peerId) !== null);
      tell(sockets.of(peerId), true);
      return response;
    },
    receive(webSocket, frame) {
      const socket = sockets.heard(webSocket, now());
      if (socket === null) return;
      const verdict = judge(socket.machineId, now());
      if (verdict === "close") return dismiss(socket, { code: "rate_limited", detail: "too many frames" });
      // An acknowledgement is never dropped: a window that is full opens by nothing else.
      if (verdict === "drop" && typeof frame !== "string") return;
      const failure = typeof frame === "string" ? receiveText(socket, frame) : forward(socket, frame);
      if (failure === null) askMembers(socket);
      else dismiss(socket, failure);
    },
    closed(webSocket) {
      const dropped = sockets.dropped(webSocket);
      if (dropped === null) return;
      for (const socket of sockets.list()) tell(socket, false);
    },
  };
}
