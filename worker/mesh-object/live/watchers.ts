// The hibernatable WebSockets of people who watch the mesh, apart from the machines' by their tag. Who watches what is in each socket's
// attachment, so that it outlives hibernation; nothing else of a watcher is kept.
import { z } from "zod";
import { LIVE_CLOSE_CODES } from "#schema/live/close-codes";
import { type LiveWatch, WatchedMachine } from "#schema/live/messages";
import { type Backlog, createBacklog, createUnseenSum } from "./backlog.ts";

export const WATCHER_TAG = "watcher";
/** 32 bits; a watcher may guess twice a second. */
const MARK_LENGTH = 8;

const Attachment = z.object({
  /** Who was authenticated: kind and id. */
  actor: z.string(),
  /** `session:` and the id of the session that it came with. */
  session: z.string().nullable().default(null),
  openedAt: z.number(),
  machines: z.array(WatchedMachine),
  /** What it has not said it saw. */
  unseen: z.object({ mark: z.string(), characters: z.number() }).nullable().default(null),
  /** It was not told of a change, as it was behind. */
  hasMissed: z.boolean().default(false),
});
type Attachment = z.infer<typeof Attachment>;

export interface Watcher extends Readonly<Pick<Attachment, "actor" | "session" | "openedAt">> {
  readonly machines: readonly WatchedMachine[];
  /** When it last said what it watches. */
  readonly renewedAt: number;
  /** It has not said that it saw what it was sent, or too many others have not. */
  readonly isBehind: boolean;
  /** It was not told of a change, as it was behind. */
  readonly hasMissed: boolean;
  setMissed(hasMissed: boolean): void;
  watch(message: Pick<LiveWatch, "machines" | "seenMark">, nowMs: number): void;
  /** The first message. */
  welcome(text: string): void;
  /** @param text JSON of an object, which goes out with a mark */
  tell(text: string): void;
}

export interface Watchers {
  accept(
    who: Pick<Attachment, "actor" | "session">,
    nowMs: number,
  ): { readonly response: Response; readonly watcher: Watcher };
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
  /** Also of sockets that are closing: what was sent waits in them until the other end has read it, or is gone. */
  const backlogs = new Map<WebSocket, Backlog>();
  const sum = createUnseenSum();
  for (const webSocket of ctx.getWebSockets(WATCHER_TAG)) restore(webSocket);

  function restore(webSocket: WebSocket): void {
    const attachment = Attachment.safeParse(webSocket.deserializeAttachment());
    if (webSocket.readyState !== WebSocket.OPEN) {
      if (attachment.success) keepBacklog(webSocket, attachment.data);
      return;
    }
    // Written by a version of ours that this one does not understand: it comes back with one that we do.
    if (!attachment.success) webSocket.close(LIVE_CLOSE_CODES.renew, "connect again");
    else keep(webSocket, attachment.data);
  }

  function keepBacklog(webSocket: WebSocket, { actor, unseen }: Attachment): Backlog {
    const backlog = createBacklog(actor, sum, unseen);
    backlogs.set(webSocket, backlog);
    return backlog;
  }

  function dropBacklog(webSocket: WebSocket): void {
    backlogs.get(webSocket)?.drop();
    backlogs.delete(webSocket);
  }

  /** Of sockets that ended without a word to us. */
  function dropLostBacklogs(): void {
    const known = new Set(ctx.getWebSockets(WATCHER_TAG));
    for (const webSocket of backlogs.keys()) if (!known.has(webSocket)) dropBacklog(webSocket);
  }

  function keep(webSocket: WebSocket, attachment: Attachment): Watcher {
    const watcher = createWatcher(webSocket, attachment, { backlog: keepBacklog(webSocket, attachment), nowMs: now() });
    bySocket.set(webSocket, watcher);
    sockets.set(watcher, webSocket);
    return watcher;
  }

  return {
    accept(who, nowMs) {
      dropLostBacklogs();
      const { 0: client, 1: server } = new WebSocketPair();
      ctx.acceptWebSocket(server, [WATCHER_TAG]);
      const attachment = { ...who, openedAt: nowMs, machines: [], unseen: null, hasMissed: false };
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
      dropBacklog(webSocket);
    },
    list: () => [...bySocket.values()],
    count: () => bySocket.size,
  };
}

function createWatcher(
  webSocket: WebSocket,
  attachment: Attachment,
  { backlog, nowMs }: { readonly backlog: Backlog; readonly nowMs: number },
): Watcher {
  const { actor, session, openedAt } = attachment;
  let { machines, hasMissed } = attachment;
  // After hibernation it has its time to say it again.
  let renewedAt = nowMs;
  const send = (text: string) => {
    // One that is closing takes no more messages.
    if (webSocket.readyState === WebSocket.OPEN) webSocket.send(text);
  };
  const save = () =>
    webSocket.serializeAttachment({
      ...{ actor, session, openedAt, machines, hasMissed },
      unseen: backlog.unseen(),
    } satisfies Attachment);
  return {
    ...{ actor, session, openedAt, welcome: send },
    get machines() {
      return machines;
    },
    get renewedAt() {
      return renewedAt;
    },
    get isBehind() {
      return backlog.isFull();
    },
    get hasMissed() {
      return hasMissed;
    },
    setMissed(isMissed) {
      if (isMissed === hasMissed) return;
      hasMissed = isMissed;
      save();
    },
    watch(wanted, atMs) {
      renewedAt = atMs;
      if (wanted.seenMark !== null) backlog.seen(wanted.seenMark);
      machines = [...wanted.machines];
      save();
    },
    tell(text) {
      if (webSocket.readyState !== WebSocket.OPEN) return;
      const mark = crypto.randomUUID().slice(0, MARK_LENGTH);
      // At its end, so that whoever knows the mark has come to the end.
      const marked = `${text.slice(0, -1)},"mark":"${mark}"}`;
      backlog.sent(mark, marked.length);
      save();
      send(marked);
    },
  };
}
