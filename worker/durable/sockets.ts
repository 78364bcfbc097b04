// The hibernatable WebSockets of an object that are machines', one per machine, tagged with its id. What must outlive hibernation is in each socket's attachment
// (16,384 bytes at most: Durable Objects docs, "WebSockets", 2026-11), parsed again when the object wakes.
import { z } from "zod";
import { MachineId } from "#schema/ids";
import { CLOSE_CODES } from "#schema/wire/close-codes";
import { PING, PONG } from "#schema/wire/messages";

export interface Socket<State> {
  readonly machineId: MachineId;
  state: State;
  /** Writes `state` where hibernation keeps it. */
  save(): void;
  send(frame: string | ArrayBuffer): void;
  /** Milliseconds since the epoch: the last ping that the runtime answered, the last message, or the connection itself. */
  lastSeenAt(): number;
}

export interface Sockets<State> {
  /** Answers an upgrade. An older socket of the same machine is closed: the newer one counts. */
  accept(machineId: MachineId, state: State, nowMs: number): Response;
  /** The socket that a runtime event is about, noting that it was heard; null for one that was replaced or dismissed. */
  heard(webSocket: WebSocket, nowMs: number): Socket<State> | null;
  /** A socket closed, whether we knew it or the object woke for it: whose it was. Null when the machine has a newer one. */
  dropped(webSocket: WebSocket): { readonly machineId: MachineId; readonly lastSeenAt: number } | null;
  of(machineId: string): Socket<State> | null;
  /** Tells why, closes, and lists it no more. */
  dismiss(machineId: string, close: { readonly code: number; readonly reason: string }): void;
  list(): Iterable<Socket<State>>;
  count(): number;
}

export function createSockets<State>(ctx: DurableObjectState, stateSchema: z.ZodType<State>): Sockets<State> {
  const attachmentSchema = z.object({ machineId: MachineId, connectedAt: z.number(), state: stateSchema });
  const byMachine = new Map<string, Entry<State>>();
  // Answered by the runtime without waking the object; the timestamp is what presence is read from.
  ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
  for (const webSocket of ctx.getWebSockets()) {
    // An object may have other sockets than machines'.
    if (MachineId.safeParse(ctx.getTags(webSocket)[0]).success) restore(webSocket);
  }

  function restore(webSocket: WebSocket): void {
    if (webSocket.readyState !== WebSocket.OPEN) return;
    const attachment = attachmentSchema.safeParse(webSocket.deserializeAttachment());
    if (!attachment.success) {
      // Written by a version of ours that this one does not understand: the machine connects again.
      webSocket.close(1012, "connect again");
      return;
    }
    const { machineId, connectedAt, state } = attachment.data;
    const other = byMachine.get(machineId);
    if (other === undefined || other.connectedAt <= connectedAt) {
      byMachine.set(machineId, createEntry(ctx, { webSocket, machineId, connectedAt, state }));
    }
  }

  const find = (webSocket: WebSocket) => {
    const entry = byMachine.get(ctx.getTags(webSocket)[0] ?? "");
    return entry?.webSocket === webSocket ? entry : null;
  };

  return {
    accept(machineId, state, nowMs) {
      byMachine.get(machineId)?.close(CLOSE_CODES.replaced, "the machine opened a newer connection");
      const { 0: client, 1: server } = new WebSocketPair();
      ctx.acceptWebSocket(server, [machineId]);
      const entry = createEntry(ctx, { webSocket: server, machineId, connectedAt: nowMs, state });
      entry.save();
      byMachine.set(machineId, entry);
      return new Response(null, { status: 101, webSocket: client });
    },
    heard(webSocket, nowMs) {
      const entry = find(webSocket);
      if (entry !== null) entry.lastMessageAt = nowMs;
      return entry;
    },
    dropped(webSocket) {
      // A hibernatable socket's close is not answered by the runtime (workerd 2026-10-23, compatibility date 2026-10-20).
      if (webSocket.readyState === WebSocket.CLOSING) webSocket.close(1000, "closed");
      const attachment = attachmentSchema.safeParse(webSocket.deserializeAttachment());
      if (!attachment.success) return null;
      const { machineId, connectedAt, state } = attachment.data;
      const entry = byMachine.get(machineId) ?? createEntry(ctx, { webSocket, machineId, connectedAt, state });
      if (entry.webSocket !== webSocket) return null;
      byMachine.delete(machineId);
      return { machineId, lastSeenAt: entry.lastSeenAt() };
    },
    dismiss(machineId, { code, reason }) {
      byMachine.get(machineId)?.close(code, reason);
      byMachine.delete(machineId);
    },
    of: (machineId) => byMachine.get(machineId) ?? null,
    list: () => byMachine.values(),
    count: () => byMachine.size,
  };
}

interface Entry<State> extends Socket<State> {
  close(code: number, reason: string): void;
  readonly webSocket: WebSocket;
  readonly connectedAt: number;
  lastMessageAt: number;
}

function createEntry<State>(
  ctx: DurableObjectState,
  { webSocket, machineId, connectedAt, state }: Pick<Entry<State>, "webSocket" | "machineId" | "connectedAt" | "state">,
): Entry<State> {
  return {
    webSocket,
    machineId,
    connectedAt,
    state,
    lastMessageAt: connectedAt,
    save() {
      webSocket.serializeAttachment({ machineId, connectedAt, state: this.state });
    },
    send(frame) {
      // A socket that is closing takes no more messages; its machine asks again from its position when it is back.
      if (webSocket.readyState === WebSocket.OPEN) webSocket.send(frame);
    },
    close(code, reason) {
      if (webSocket.readyState === WebSocket.OPEN) webSocket.close(code, reason);
    },
    lastSeenAt() {
      const answeredAt = ctx.getWebSocketAutoResponseTimestamp(webSocket)?.getTime() ?? 0;
      return Math.max(answeredAt, this.lastMessageAt);
    },
  };
}
