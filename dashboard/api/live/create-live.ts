// What the open pages hear of meshes: one WebSocket for each mesh that a page is about, hints that make answers old, and telemetry that
// replaces them. While a tab is hidden there are no sockets; where there can't be any, pages ask again as they do without.
import { hashKey, type QueryClient } from "@tanstack/react-query";
import { watchMesh } from "#schema/api/meshes";
import { getMe } from "#schema/api/sign-in";
import { ONLINE_WITHIN_MS } from "#schema/limits";
import type { LiveChange, LiveTelemetry, WatchedMachine } from "#schema/live/messages";
import type { OpenSocket } from "../../browser/open-web-socket.ts";
import { toRequest } from "../request.ts";
import { findCovered, isMadeOld, type Question, toQuestion } from "./covered.ts";
import { createMeshSocket, type MeshSocket, type MeshSocketState } from "./create-mesh-socket.ts";
import { createRefresher } from "./create-refresher.ts";
import { mergeTelemetry } from "./merge-telemetry.ts";
import { mergeWatches } from "./merge-watches.ts";

/** `live`: changes come by themselves. `connecting`: they will. `asking`: pages ask again and again. */
export type LiveState = "live" | "connecting" | "asking";

export interface Live {
  /** A page is about these meshes; more than MAX_SOCKETS get none. Ends with what is returned. */
  use(about: About): () => void;
  /** A page shows this machine's telemetry. */
  watch(machineId: string, explain: readonly string[]): () => void;
  /** How often a question is to be asked that is asked every `everyMs` without hints. */
  planEvery(queryKey: readonly unknown[], everyMs: number): number;
  /** Whether a hint or a new connection will have it asked again by itself. */
  isAwaited(queryKey: readonly unknown[]): boolean;
  state(): LiveState;
  subscribe(listener: () => void): () => void;
  /** Another number whenever one of these may have changed. */
  turns(): number;
}

export interface About {
  readonly meshIds: readonly string[];
  /** These are all meshes. */
  readonly isAll?: boolean;
  /** These are the meshes of this machine. */
  readonly machineId?: string;
}

export interface LiveParts {
  readonly queries: QueryClient;
  readonly openSocket: OpenSocket;
  readonly startTimer: (ms: number, run: () => void) => () => void;
  readonly now: () => number;
  readonly random: () => number;
  readonly isHidden: () => boolean;
  readonly onVisibilityChange: (listener: () => void) => void;
  /** A WebSocket of a page has the session's cookie and no header: with an API token there is none. */
  readonly canConnect: () => boolean;
}

export const MAX_SOCKETS = 8;
/** What one page leaves, the next one often wants. */
const LINGER_MS = 2_000;
/** Without a frame for so long, telemetry does not flow. */
const FLOWS_FOR_MS = 5_000;
/** A machine that went is offline when it was not seen for as long as that takes. */
const OFFLINE_AFTER_MS = ONLINE_WITHIN_MS + 1_000;
const FOLLOW_UP_EVERY_MS = 5_000;
/** What deletes a mesh goes on after its sockets are closed. */
const GONE_AFTER_MS = 1_000;
const ME = hashKey([getMe.id]);
const ANYTHING: LiveChange = { resource: "*", machineIds: null };

export function createLive(parts: LiveParts): Live {
  const { queries, startTimer, now } = parts;
  const abouts = new Set<About>();
  const watches = new Set<WatchedMachine>();
  const sockets = new Map<string, MeshSocket>();
  const flowing = new Map<string, () => void>();
  const followedUpAt = new Map<string, number>();
  const listeners = new Set<() => void>();
  let turns = 0;
  const refresher = createRefresher({ refresh, now, startTimer });

  const notify = () => {
    turns += 1;
    for (const listener of listeners) listener();
  };

  // ---- which sockets

  function listWanted(): string[] {
    if (parts.isHidden() || !parts.canConnect()) return [];
    const fitting = [...abouts].filter(({ meshIds }) => meshIds.length <= MAX_SOCKETS);
    return [...new Set(fitting.flatMap(({ meshIds }) => meshIds))];
  }

  function connect(): void {
    const wanted = new Set(listWanted());
    for (const [meshId, socket] of sockets) {
      if (wanted.has(meshId)) continue;
      socket.stop();
      sockets.delete(meshId);
    }
    for (const meshId of wanted) if (!sockets.has(meshId)) sockets.set(meshId, open(meshId));
    for (const [meshId, socket] of sockets) socket.watch(listWatched(meshId));
    notify();
  }

  const open = (meshId: string): MeshSocket =>
    createMeshSocket({
      ...{ openSocket: parts.openSocket, startTimer, random: parts.random },
      path: toRequest(watchMesh, { params: { meshId } }, { token: null }).path,
      onState: (state) => turned(meshId, state),
      onChanged: (changes) => changed(meshId, changes),
      onTelemetry: (frame) => told(meshId, frame),
    });

  /** Whatever became of it: what was known before may be old. */
  function turned(meshId: string, state: MeshSocketState): void {
    // Closed by the other end: it may be that one is nobody any more, or has another role.
    if (state === "connecting") refresher.mark(ME);
    if (state === "gone") startTimer(GONE_AFTER_MS, () => makeOld(meshId, ANYTHING));
    else if (state !== "connecting") makeOld(meshId, ANYTHING);
    notify();
  }

  const listWatched = (meshId: string): WatchedMachine[] =>
    mergeWatches([...watches].filter(({ machineId }) => meshesOf(machineId).includes(meshId)));

  // ---- hints

  function changed(meshId: string, changes: readonly LiveChange[]): void {
    for (const change of changes) {
      makeOld(meshId, change);
      if (change.resource === "presence") followUp(meshId);
    }
  }

  /** Nobody hints at a machine that has been away for long enough to be offline. */
  function followUp(meshId: string): void {
    if (now() - (followedUpAt.get(meshId) ?? Number.NEGATIVE_INFINITY) < FOLLOW_UP_EVERY_MS) return;
    followedUpAt.set(meshId, now());
    startTimer(OFFLINE_AFTER_MS + FOLLOW_UP_EVERY_MS, () =>
      makeOld(meshId, { resource: "presence", machineIds: null }),
    );
  }

  function makeOld(meshId: string, change: LiveChange): void {
    for (const query of queries.getQueryCache().getAll()) {
      if (!isMadeOld(toQuestion(query.queryKey), meshId, change)) continue;
      if (query.isActive()) refresher.mark(query.queryHash);
      else query.invalidate();
    }
  }

  async function refresh(queryHash: string): Promise<void> {
    const query = queries.getQueryCache().get(queryHash);
    // An answer that is under way may be from before the change.
    if (query?.isActive()) await queries.refetchQueries({ queryKey: query.queryKey, exact: true, type: "active" });
  }

  // ---- telemetry

  function told(meshId: string, frame: LiveTelemetry): void {
    const { machineId } = frame;
    const isNew = !flowing.has(machineId);
    flowing.get(machineId)?.();
    flowing.set(
      machineId,
      startTimer(FLOWS_FOR_MS, () => {
        flowing.delete(machineId);
        notify();
      }),
    );
    for (const { queryKey, state } of queries.getQueryCache().getAll()) {
      const question = toQuestion(queryKey);
      if (question.machineId !== machineId || state.data === undefined) continue;
      if (findCovered(question.operationId)?.telemetry !== "inside") continue;
      queries.setQueryData(queryKey, (answer: unknown) => mergeTelemetry(question, answer, { meshId, frame }));
    }
    if (isNew) notify();
  }

  // ---- what is covered

  const meshesOf = (machineId: string): readonly string[] =>
    [...abouts].find((about) => about.machineId === machineId)?.meshIds ?? [];

  /** The meshes whose hints make it old; null: nobody's do. */
  function listMeshes({ operationId, meshId, machineId }: Question): readonly string[] {
    const scope = findCovered(operationId)?.scope;
    if (scope === "mesh") return meshId === null ? [] : [meshId];
    if (scope === "machine") return machineId === null ? [] : meshesOf(machineId);
    return scope === "every" ? ([...abouts].find(({ isAll }) => isAll)?.meshIds ?? []) : [];
  }

  const are = (meshIds: readonly string[], ...states: readonly MeshSocketState[]): boolean =>
    meshIds.length > 0 &&
    meshIds.every((meshId) => {
      const state = sockets.get(meshId)?.state();
      return state !== undefined && states.includes(state);
    });

  const isFlowing = (queryKey: readonly unknown[], { machineId }: Question): boolean =>
    machineId !== null && flowing.has(machineId) && queries.getQueryState(queryKey)?.status === "success";

  parts.onVisibilityChange(connect);

  return {
    use(about) {
      abouts.add(about);
      connect();
      return () => {
        abouts.delete(about);
        startTimer(LINGER_MS, connect);
      };
    },
    watch(machineId, explain) {
      const watched = { machineId, explain: [...explain] } as WatchedMachine;
      watches.add(watched);
      connect();
      return () => {
        watches.delete(watched);
        startTimer(LINGER_MS, connect);
      };
    },
    planEvery(queryKey, everyMs) {
      const question = toQuestion(queryKey);
      const covered = findCovered(question.operationId);
      if (covered === null || covered.everyMs === null || !are(listMeshes(question), "open")) return everyMs;
      if (covered.telemetry !== undefined && !isFlowing(queryKey, question)) return everyMs;
      return Math.max(everyMs, covered.everyMs);
    },
    isAwaited: (queryKey) => are(listMeshes(toQuestion(queryKey)), "open", "connecting"),
    state() {
      const states = [...sockets.values()].map((socket) => socket.state()).filter((state) => state !== "gone");
      if (states.length === 0 || states.includes("failing")) return "asking";
      return states.every((state) => state === "open") ? "live" : "connecting";
    },
    turns: () => turns,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
