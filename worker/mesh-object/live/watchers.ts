// The hibernatable WebSockets of people who watch the mesh, apart from the machines' by their tag. Who watches what is in each socket's
// attachment, so that it outlives hibernation; nothing else of a watcher is kept.
import { z } from "zod";
import { LIVE_CLOSE_CODES } from "#schema/live/close-codes";
import { WatchedMachine } from "#schema/live/messages";
import { createBacklog } from "./backlog.ts";

export const WATCHER_TAG = "watcher";

const Attachment = z.object({
  /** Who was authenticated: kind and id. */
  actor: z.string(),
  openedAt: z.number(),
  machines: z.array(WatchedMachine),
});
type Attachment = z.infer<typeof Attachment>;

export interface Watcher extends Readonly<Omit<Attachment, "machines">> {
  readonly machines: readonly WatchedMachine[];
  /** When it last said what it watches. */
  readonly renewedAt: number;
  /** It has not said that it saw what it was sent. */
  readonly isBehind: boolean;
  watch(machines: readonly WatchedMachine[], seen: number, nowMs: number): void;
  send(text: string): void;
  sendTelemetry(text: string): void;
}

export interface Watchers {
  accept(actor: string, nowMs: number): { readonly response: Response; readonly watcher: Watcher };
  of(webSocket: WebSocket): Watcher | null;
  close(watcher: Watcher, close: { readonly code: number; readonly reason: string }): void;
  /** A socket closed. */
  dropped(webSocket: WebSocket): void;
  list(): readonly Watcher[];
  count(): number;
}

export const isWatcherSocket = (ctx: Pick<DurableObjectState, "getTags">, webSocket: WebSocket): boolean =>
  ctx.getTags(webSocket)[0] === WATCHER_TAG;

export function createWatchers(ctx: DurableObjectState, now: () => number): Watchers {
  const bySocket = new Map<WebSocket, Watcher>();
  const sockets = new WeakMap<Watcher, WebSocket>();
  for (const webSocket of ctx.getWebSockets(WATCHER_TAG)) restore(webSocket);

  function restore(webSocket: WebSocket): void {
    if (webSocket.readyState !== WebSocket.OPEN) return;
    const attachment = Attachment.safeParse(webSocket.deserializeAttachment());
    // Written by a version of ours that this one does not understand: it comes back with one that we do.
    if (!attachment.success) webSocket.close(LIVE_CLOSE_CODES.renew, "connect again");
    else keep(webSocket, attachment.data);
  }

  function keep(webSocket: WebSocket, attachment: Attachment): Watcher {
    const watcher = createWatcher(webSocket, attachment, now());
    bySocket.set(webSocket, watcher);
    sockets.set(watcher, webSocket);
    return watcher;
  }

  return {
    accept(actor, nowMs) {
      const { 0: client, 1: server } = new WebSocketPair();
      ctx.acceptWebSocket(server, [WATCHER_TAG]);
      const attachment = { actor, openedAt: nowMs, machines: [] };
      server.serializeAttachment(attachment);
      const watcher = keep(server, attachment);
      return { response: new Response(null, { status: 101, webSocket: client }), watcher };
    },
    of: (webSocket) => bySocket.get(webSocket) ?? null,
    close(watcher, { code, reason }) {
      const webSocket = sockets.get(watcher);
      if (webSocket === undefined) return;
      bySocket.delete(webSocket);
      if (webSocket.readyState === WebSocket.OPEN) webSocket.close(code, reason);
    },
    dropped(webSocket) {
      // A hibernatable socket's close is not answered by the runtime (workerd 2026-10-23, compatibility date 2026-10-20).
      if (webSocket.readyState === WebSocket.CLOSING) webSocket.close(1000, "closed");
      bySocket.delete(webSocket);
    },
    list: () => [...bySocket.values()],
    count: () => bySocket.size,
  };
}

function createWatcher(webSocket: WebSocket, attachment: Attachment, nowMs: number): Watcher {
  const { actor, openedAt } = attachment;
  let { machines } = attachment;
  // After hibernation it has its time to say it again.
  let renewedAt = nowMs;
  const backlog = createBacklog();
  const send = (text: string) => {
    // One that is closing takes no more messages.
    if (webSocket.readyState === WebSocket.OPEN) webSocket.send(text);
  };
  return {
    ...{ actor, openedAt, send },
    get machines() {
      return machines;
    },
    get renewedAt() {
      return renewedAt;
    },
    get isBehind() {
      return backlog.isFull();
    },
    watch(wanted, seenCount, atMs) {
      renewedAt = atMs;
      backlog.seen(seenCount);
      if (JSON.stringify(wanted) === JSON.stringify(machines)) return;
      machines = [...wanted];
      webSocket.serializeAttachment({ actor, openedAt, machines } satisfies Attachment);
    },
    sendTelemetry(text) {
      backlog.sent(text);
      send(text);
    },
  };
}
