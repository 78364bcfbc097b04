// Tells whoever watches the mesh what changed, and passes on the telemetry of machines that somebody watches. Nothing is stored, and a mesh
// that nobody watches has no timer and does no work for it.
import type { MachineId } from "#schema/ids";
import { LIVE_CLOSE_CODES } from "#schema/live/close-codes";
import type { LiveChanged, LiveResource, LiveTelemetry, LiveWelcome } from "#schema/live/messages";
import { ANYTHING, ToLiveMessage } from "#schema/live/messages";
import { MAX_WATCHER_MESSAGE_BYTES, WATCH_LEASE_MS } from "#schema/live/pace";
import { LIVE_VERSION } from "#schema/live/version";
import { err } from "#schema/result";
import { TRUSTED_HEADERS } from "../../auth/trusted-headers.ts";
import { toClose } from "../../durable/close-reason.ts";
import { createDecoder, messageTypesOf } from "../../durable/decode-message.ts";
import { createRateLimiter } from "../../durable/rate-limiter.ts";
import type { Failure } from "../../failure.ts";
import type { Logger } from "../../log.ts";
import { toProblemResponse } from "../../problem.ts";
import type { KeptReport } from "../links/telemetry.ts";
import type { MemberTelemetry } from "../rpc.ts";
import type { MeshRecord, MeshStorage } from "../storage.ts";
import { createHints } from "./hints.ts";
import { toLiveTelemetry } from "./to-live-telemetry.ts";
import type { Watcher, Watchers } from "./watchers.ts";

export interface Live {
  /** Call it with every change; what nobody watches costs nothing. */
  note(resource: LiveResource, machineId?: MachineId | null): void;
  /** Answers an upgrade that the Worker authenticated. */
  open(request: Request): Response;
  receiveFrame(webSocket: WebSocket, frame: string | ArrayBuffer): void;
  dropped(webSocket: WebSocket): void;
  /** Whether somebody watches this machine's telemetry. */
  isWatched(machineId: MachineId): boolean;
  passOn(machineId: MachineId, report: KeptReport): void;
  /** What these were let in with was revoked, or means something else: they are told nothing more, and may connect again. */
  dismiss(grant: Grant): void;
  /** The mesh is no more. */
  close(): void;
}

/** A report as it is shown: with the mesh's own names, and without what it can't know. */
export type ToTelemetry = (mesh: MeshRecord, machineId: MachineId, report: KeptReport) => MemberTelemetry;

export interface LiveParts {
  readonly watchers: Watchers;
  readonly storage: Pick<MeshStorage, "readMember">;
  readonly readOpenMesh: () => MeshRecord | null;
  readonly toTelemetry: ToTelemetry;
  /** Asks the machine for its telemetry, and again when that is due. */
  readonly follow: (machineId: MachineId) => void;
  readonly now: () => number;
  readonly log: Logger;
}

/** What a watcher was let in by, and what can be revoked: a user, an API token or a session, as the watcher's socket has them. */
export type Grant = `${"user" | "api_token" | "session"}:${string}`;

export const MAX_WATCHERS = 128;
/** Tabs of one person, or runs of one script. */
export const MAX_WATCHERS_OF_ONE = 16;
/** What was authenticated longer ago is told nothing more: it connects again, or can't. */
export const MAX_WATCHER_AGE_MS = 10 * 60_000;
/** Between two messages of what changed; the first one waits just long enough to join a burst. */
export const HINT_EVERY_MS = 250;
const HINT_DELAY_MS = 10;
/** A machine with many peers says much: one frame a second for this many, and for a frame of this length. */
const PEERS_A_SECOND = 500;
const CHARACTERS_A_SECOND = 400_000;
/** Reports come every second, and not to the millisecond. */
const EARLY_MS = 200;
const MESSAGES = { burst: 20, perSecond: 2 };
const decoder = createDecoder(ToLiveMessage, messageTypesOf(ToLiveMessage), MAX_WATCHER_MESSAGE_BYTES);

/** Longer than a request takes from the Worker to here, whatever their clocks say. */
const DISMISSED_FOR_MS = 10 * 60_000;

export function createLive(parts: LiveParts): Live {
  const { watchers, storage, readOpenMesh, now, log } = parts;
  const hints = createHints();
  const limiters = new WeakMap<Watcher, ReturnType<typeof createRateLimiter>>();
  /** What of each machine was passed on last: when, and the longest text of it. */
  const passedOn = new Map<MachineId, { readonly at: number; readonly characters: number }>();
  /** In memory, and for a while: a connection that was let in before takes no longer. */
  const dismissed = new Map<string, number>();
  let isScheduled = false;
  let hintedAt = Number.NEGATIVE_INFINITY;

  const isExpired = ({ openedAt }: Watcher) => now() - openedAt >= MAX_WATCHER_AGE_MS;
  function renew(watcher: Watcher): null {
    watchers.close(watcher, { code: LIVE_CLOSE_CODES.renew, reason: "connect again" });
    return null;
  }

  /** Those that may still be told something; the others are closed. */
  function listValid(): Watcher[] {
    const all = watchers.list();
    for (const watcher of all) if (isExpired(watcher)) renew(watcher);
    return all.filter((watcher) => !isExpired(watcher));
  }

  function flush(): void {
    isScheduled = false;
    hintedAt = now();
    const mesh = readOpenMesh();
    const changes = hints.take();
    if (mesh === null || changes.length === 0) return;
    const text = render({ type: "live.changed", revision: mesh.revision, changes });
    for (const watcher of listValid()) {
      if (watcher.isBehind) watcher.setMissed(true);
      else if (watcher.hasMissed) catchUp(watcher, mesh);
      else watcher.tell(text);
    }
  }

  /** One hint in place of all that it missed. */
  function catchUp(watcher: Watcher, { revision }: MeshRecord): void {
    watcher.setMissed(false);
    watcher.tell(render({ type: "live.changed", revision, changes: [{ resource: ANYTHING, machineIds: null }] }));
  }

  const isWatching = (watcher: Watcher, machineId: MachineId) =>
    now() - watcher.renewedAt <= WATCH_LEASE_MS && watcher.machines.some((machine) => machine.machineId === machineId);

  /** D1 may have been asked before it was changed, and the object be told of the change before the answer got here. */
  const isDismissed = ({ actor, session, checkedAt }: Arrival): boolean =>
    [actor, session].some((grant) => checkedAt <= (dismissed.get(grant ?? "") ?? Number.NEGATIVE_INFINITY));

  function findRefusal(mesh: MeshRecord | null, arrival: Arrival): Failure | null {
    const { actor } = arrival;
    if (mesh === null) return { code: "mesh_not_found" };
    if (isDismissed(arrival)) return { code: "unauthenticated", detail: "changed while it was looked up: ask again" };
    listValid();
    const all = watchers.list();
    if (all.length >= MAX_WATCHERS) return { code: "limit_reached", detail: `${MAX_WATCHERS} sockets watch this mesh` };
    if (all.filter((watcher) => watcher.actor === actor).length < MAX_WATCHERS_OF_ONE) return null;
    return { code: "limit_reached", detail: `${MAX_WATCHERS_OF_ONE} sockets of yours watch this mesh` };
  }

  /** Null: the socket is closed for what came. */
  function decode(watcher: Watcher, frame: string | ArrayBuffer): readonly ToLiveMessage[] | null {
    const limiter = limiters.get(watcher) ?? createRateLimiter(MESSAGES);
    limiters.set(watcher, limiter);
    const decoded = limiter.take("", now())
      ? decoder.decodeFrame(frame)
      : err({ code: "rate_limited" as const, detail: "too many messages" });
    if (decoded.ok) return decoded.value.messages;
    log.info("closed a watcher's socket", { code: decoded.error.code });
    watchers.close(watcher, toClose(decoded.error));
    return null;
  }

  return {
    note(resource, machineId = null) {
      if (watchers.count() === 0) return;
      hints.add(resource, machineId);
      if (isScheduled) return;
      isScheduled = true;
      // A pending timer keeps the object from hibernating (Durable Objects docs, "Lifecycle"), so it is never lost to that.
      setTimeout(flush, Math.max(HINT_DELAY_MS, hintedAt + HINT_EVERY_MS - now()));
    },

    open({ headers }) {
      const arrival = toArrival(headers);
      const mesh = readOpenMesh();
      const refusal = findRefusal(mesh, arrival);
      if (mesh === null || refusal !== null) {
        return toProblemResponse(refusal ?? { code: "mesh_not_found" }, headers.get(TRUSTED_HEADERS.requestId) ?? "");
      }
      const { response, watcher } = watchers.accept({ actor: arrival.actor, session: arrival.session }, now());
      const { epoch, revision } = mesh;
      watcher.welcome(render({ type: "live.welcome", liveVersion: LIVE_VERSION, epoch, revision }));
      return response;
    },

    receiveFrame(webSocket, frame) {
      const watcher = watchers.of(webSocket);
      if (watcher === null) return;
      const messages = isExpired(watcher) ? renew(watcher) : decode(watcher, frame);
      const mesh = readOpenMesh();
      for (const { machines, seenMark } of messages ?? []) {
        const members = machines.filter(({ machineId }) => storage.readMember(machineId) !== null);
        watcher.watch({ machines: members, seenMark }, now());
        if (mesh !== null && watcher.hasMissed && !watcher.isBehind) catchUp(watcher, mesh);
        for (const { machineId } of members) parts.follow(machineId);
      }
    },

    dropped(webSocket) {
      watchers.dropped(webSocket);
      if (watchers.count() === 0) passedOn.clear();
    },

    isWatched: (machineId) => watchers.count() > 0 && watchers.list().some((watcher) => isWatching(watcher, machineId)),

    passOn(machineId, report) {
      const mesh = readOpenMesh();
      const last = passedOn.get(machineId) ?? { at: Number.NEGATIVE_INFINITY, characters: 0 };
      if (mesh === null || now() - last.at < planEveryMs(report.peers.length, last.characters)) return;
      const telemetry = parts.toTelemetry(mesh, machineId, report);
      const texts = new Map<string, string>();
      for (const watcher of listValid()) {
        if (!isWatching(watcher, machineId) || watcher.isBehind) continue;
        const explain = watcher.machines.find((machine) => machine.machineId === machineId)?.explain ?? [];
        const key = explain.join();
        const text = texts.get(key) ?? render(toLiveTelemetry(machineId, telemetry, explain));
        texts.set(key, text);
        watcher.tell(text);
      }
      const characters = Math.max(0, ...[...texts.values()].map(({ length }) => length));
      passedOn.set(machineId, { at: now(), characters });
    },

    dismiss(grant) {
      for (const [other, at] of dismissed) if (now() - at > DISMISSED_FOR_MS) dismissed.delete(other);
      dismissed.set(grant, now());
      for (const watcher of watchers.list()) {
        if (watcher.actor === grant || watcher.session === grant) renew(watcher);
      }
    },

    close() {
      for (const watcher of watchers.list()) {
        watchers.close(watcher, { code: LIVE_CLOSE_CODES.gone, reason: "the mesh was deleted" });
      }
    },
  };
}

interface Arrival extends Pick<Watcher, "actor" | "session"> {
  readonly checkedAt: number;
}
const toArrival = (headers: Headers): Arrival => ({
  actor: headers.get(TRUSTED_HEADERS.watcher) ?? "",
  session: headers.get(TRUSTED_HEADERS.watcherSession),
  checkedAt: Number(headers.get(TRUSTED_HEADERS.watcherCheckedAt) ?? Number.NaN),
});

function planEveryMs(peerCount: number, characters: number): number {
  const seconds = Math.ceil(Math.max(peerCount / PEERS_A_SECOND, characters / CHARACTERS_A_SECOND));
  return Math.max(1, seconds) * 1_000 - EARLY_MS;
}

/** The watcher adds its own mark. */
const render = (message: LiveWelcome | Omit<LiveChanged, "mark"> | Omit<LiveTelemetry, "mark">): string =>
  JSON.stringify(message);
