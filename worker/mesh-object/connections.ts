// Who is connected to the mesh, over which transport, how far it is, and when it was last seen. Nothing here is persisted
// while a member is idle: sockets keep their part in attachments, long-polls in memory.
import { z } from "zod";
import { Epoch, Revision } from "#schema/desired-state";
import type { MachineId } from "#schema/ids";
import { ONLINE_WITHIN_MS } from "#schema/limits";
import { StepFailure } from "#schema/machine";
import { toClose } from "../durable/close-reason.ts";
import { createMailboxes } from "../durable/mailboxes.ts";
import { createPollPresence } from "../durable/poll-presence.ts";
import { createSockets, type Socket, type Sockets } from "../durable/sockets.ts";
import { createWaiters } from "../durable/waiters.ts";
import type { Failure } from "../failure.ts";
import type { NoteChange } from "./live/observe-storage.ts";
import type { MemberReport } from "./messages.ts";
import type { Position } from "./sync/sync.ts";

const SocketState = z.object({
  /** Up to where this socket was told; null before its hello. */
  told: z.object({ epoch: Epoch, revision: Revision }).nullable(),
  applied: z.object({ epoch: Epoch, revision: Revision }).nullable(),
  failures: z.array(StepFailure),
});
type SocketState = z.infer<typeof SocketState>;
export type MemberSocket = Socket<SocketState>;

/** Somebody who is to be told what is newer than `position`. */
export interface Listener {
  readonly machineId: MachineId;
  readonly position: Position;
  deliver(texts: readonly string[], upTo: Position): void;
}

export interface Connections {
  readonly sockets: Sockets<SocketState>;
  openSocket(machineId: MachineId, nowMs: number): Response;
  /** Null when nothing came in time. */
  hold(machineId: MachineId, position: Position, holdMs: number): Promise<readonly string[] | null>;
  /** A request of a machine that polls. */
  heardPolling(machineId: MachineId): void;
  /** What was told to a machine between two polls, which is thereby told. */
  takeMail(machineId: MachineId): readonly string[];
  /**
   * A message to this member alone, over whatever it is connected by; nothing is stored, so it may be lost with the connection. False when
   * it is not connected, or was not heard for so long that its connection must be dead.
   */
  tell(machineId: MachineId, text: string): boolean;
  /** True when `tell` would be. */
  isOnline(machineId: MachineId): boolean;
  keepReport(machineId: MachineId, report: MemberReport): void;
  statusOf(machineId: MachineId): MemberStatus;
  /** All that were told less than `revision`. */
  listBehind(revision: number): Listener[];
  /** The last word to a machine that is no longer a member. */
  dismiss(machineId: MachineId, text: string, failure: Failure): void;
  machineIds(): MachineId[];
}

export interface MemberStatus {
  /** Null when it is not connected. */
  readonly lastSeenAt: number | null;
  readonly report: MemberReport | null;
}

/**
 * Failures ride in the socket's attachment of at most 16,384 bytes, where a character may take two: 16 failures with all their fields
 * (see StepFailure) then take under 13,000. The first words of a message say what is wrong.
 */
const MAX_KEPT_MESSAGE_LENGTH = 200;

export function createConnections(
  ctx: DurableObjectState,
  {
    now,
    onGone,
    note,
  }: { now: () => number; onGone: (machineId: MachineId, lastSeenAt: number) => void; note: NoteChange },
): Connections {
  const sockets = createSockets(ctx, SocketState);
  const waiters = createWaiters<MachineId, Position>();
  const mailboxes = createMailboxes<MachineId>();
  const pollReports = new Map<MachineId, MemberReport>();
  const polls = createPollPresence<MachineId>({
    now,
    onGone(machineId, lastSeenAt) {
      pollReports.delete(machineId);
      mailboxes.forget(machineId);
      if (sockets.of(machineId) === null) onGone(machineId, lastSeenAt);
    },
  });

  const toListener = (socket: MemberSocket, position: Position): Listener => ({
    machineId: socket.machineId,
    position,
    deliver(texts, { epoch, revision }) {
      for (const text of texts) socket.send(text);
      socket.state = { ...socket.state, told: { epoch, revision } };
    },
  });

  const isRecent = (atMs: number | null) => atMs !== null && now() - atMs <= ONLINE_WITHIN_MS;
  /** The socket that takes messages: before its hello, nobody knows who is there. */
  const greetedSocketOf = (machineId: MachineId) => {
    const socket = sockets.of(machineId);
    return socket?.state.told != null && isRecent(socket.lastSeenAt()) ? socket : null;
  };
  const isOnline = (machineId: MachineId) =>
    greetedSocketOf(machineId) !== null || isRecent(polls.lastSeenAt(machineId));

  return {
    sockets,
    isOnline,
    takeMail: mailboxes.take,
    tell(machineId, text) {
      if (!isOnline(machineId)) return false;
      const socket = greetedSocketOf(machineId);
      if (socket !== null) socket.send(text);
      else if (waiters.has(machineId)) waiters.answer(machineId, [text]);
      else mailboxes.put(machineId, text);
      return true;
    },
    openSocket(machineId, nowMs) {
      waiters.answer(machineId, null);
      return sockets.accept(machineId, { told: null, applied: null, failures: [] }, nowMs);
    },
    hold: (machineId, position, holdMs) => waiters.hold(machineId, { since: position, holdMs }),
    heardPolling(machineId) {
      if (polls.lastSeenAt(machineId) === null) note("presence", machineId);
      polls.heard(machineId);
    },
    keepReport(machineId, { applied, failures }) {
      note("members", machineId);
      const kept = failures.map((failure) => ({
        ...failure,
        message: failure.message.slice(0, MAX_KEPT_MESSAGE_LENGTH),
      }));
      const socket = sockets.of(machineId);
      if (socket === null) {
        pollReports.set(machineId, { applied, failures: kept });
      } else {
        socket.state = { ...socket.state, applied, failures: kept };
        socket.save();
      }
    },
    statusOf(machineId) {
      const socket = sockets.of(machineId);
      const lastSeenAt = Math.max(socket?.lastSeenAt() ?? 0, polls.lastSeenAt(machineId) ?? 0);
      const { applied = null, failures = [] } = socket?.state ?? {};
      return {
        lastSeenAt: lastSeenAt === 0 ? null : lastSeenAt,
        report: applied === null ? (pollReports.get(machineId) ?? null) : { applied, failures },
      };
    },
    listBehind(revision) {
      const listeners: Listener[] = [];
      for (const socket of sockets.list()) {
        const { told } = socket.state;
        if (told !== null && told.revision < revision) listeners.push(toListener(socket, told));
      }
      for (const { machineId, since } of waiters.list()) {
        if (since.revision >= revision) continue;
        listeners.push({ machineId, position: since, deliver: (texts) => waiters.answer(machineId, texts) });
      }
      return listeners;
    },
    dismiss(machineId, text, failure) {
      sockets.of(machineId)?.send(text);
      sockets.dismiss(machineId, toClose(failure));
      waiters.answer(machineId, [text]);
      polls.forget(machineId);
      mailboxes.forget(machineId);
      pollReports.delete(machineId);
    },
    machineIds: () => [...new Set([...[...sockets.list()].map((socket) => socket.machineId), ...polls.machineIds()])],
  };
}
