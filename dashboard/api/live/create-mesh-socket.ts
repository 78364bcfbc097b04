// One mesh's WebSocket for as long as it is wanted: connects, finds out when it is dead, connects again, and says which machines are watched.
//
//   connecting ── welcome ──▶ open ── closed, silent ──▶ connecting, after a while
//       └── closed, no welcome in time ──▶ failing ── after a while ──▶ (connecting, still failing until welcome)

import { PING_INTERVAL_MS } from "#schema/limits";
import { LIVE_CLOSE_CODES } from "#schema/live/close-codes";
import {
  FromLiveMessage,
  type LiveChange,
  type LiveTelemetry,
  type LiveWatch,
  type WatchedMachine,
} from "#schema/live/messages";
import { SAY_SEEN_AFTER_CHARACTERS, SAY_SEEN_AFTER_FRAMES, WATCH_RENEW_MS } from "#schema/live/pace";
import { PING } from "#schema/wire/messages";
import type { OpenSocket, PageSocket } from "../../browser/open-web-socket.ts";
import { planRenewalMs, planRetryMs } from "./retry-delay.ts";

export type MeshSocketState = "connecting" | "open" | "failing" | "gone";

export interface MeshSocket {
  state(): MeshSocketState;
  /** These machines' telemetry, in place of what was watched before. */
  watch(machines: readonly WatchedMachine[]): void;
  stop(): void;
}

export interface MeshSocketParts {
  readonly path: string;
  readonly openSocket: OpenSocket;
  /** @returns what ends it before its time */
  readonly startTimer: (ms: number, run: () => void) => () => void;
  /** From 0 to 1. */
  readonly random: () => number;
  onState(state: MeshSocketState): void;
  onChanged(changes: readonly LiveChange[]): void;
  onTelemetry(frame: LiveTelemetry): void;
}

/** A proxy may take an upgrade and lead nowhere. */
const WELCOME_WITHIN_MS = 10_000;
/** The code of a connection that ended without one (RFC 6455 section 7.4.1). */
const LOST = 1006;
const NOTHING = { frames: 0, characters: 0 };

export function createMeshSocket(parts: MeshSocketParts): MeshSocket {
  const { path, openSocket, startTimer, random } = parts;
  let state: MeshSocketState = "connecting";
  let socket: PageSocket | null = null;
  let failures = 0;
  let seenMark: string | null = null;
  /** What came since the other end was told what was seen. */
  let unsaid = NOTHING;
  let isHeard = false;
  /** Whether the other end was told to watch. */
  let isWatching = false;
  let watched: readonly WatchedMachine[] = [];
  const timers = new Map<"life" | "watch", () => void>();

  function plan(name: "life" | "watch", ms: number, run: () => void): void {
    timers.get(name)?.();
    timers.set(name, startTimer(ms, run));
  }

  function turn(next: MeshSocketState): void {
    if (state === next) return;
    state = next;
    parts.onState(next);
  }

  function connect(): void {
    seenMark = null;
    unsaid = NOTHING;
    isWatching = false;
    socket = openSocket(path, { message: receive, closed: end });
    plan("life", WELCOME_WITHIN_MS, giveUp);
  }

  function giveUp(): void {
    socket?.close();
    end(LOST);
  }

  function end(code: number): void {
    socket = null;
    for (const stop of timers.values()) stop();
    if (code === LIVE_CLOSE_CODES.gone) {
      turn("gone");
    } else if (code === LIVE_CLOSE_CODES.renew) {
      turn("connecting");
      plan("life", planRenewalMs(random()), connect);
    } else {
      // A connection that was good is lost now and then; one that never was may never be.
      turn(state === "open" ? "connecting" : "failing");
      plan("life", planRetryMs(failures, random()), connect);
      failures += 1;
    }
  }

  /** Something must come between two pings: the answer, if nothing else. */
  function ping(): void {
    if (isHeard) {
      isHeard = false;
      socket?.send(PING);
      plan("life", PING_INTERVAL_MS, ping);
    } else {
      giveUp();
    }
  }

  function receive(text: string): void {
    isHeard = true;
    const message = parseMessage(text);
    if (message?.type === "live.welcome") {
      failures = 0;
      plan("life", PING_INTERVAL_MS, ping);
      turn("open");
      tellWatched();
    } else if (message?.type === "live.changed") {
      saw(message.mark, text.length);
      parts.onChanged(message.changes);
    } else if (message?.type === "live.telemetry") {
      saw(message.mark, text.length);
      parts.onTelemetry(message);
    }
  }

  /** The other end sends no more than it knows was seen, so it is told in time. */
  function saw(mark: string | null, length: number): void {
    seenMark = mark;
    unsaid = { frames: unsaid.frames + 1, characters: unsaid.characters + length };
    if (unsaid.frames >= SAY_SEEN_AFTER_FRAMES || unsaid.characters >= SAY_SEEN_AFTER_CHARACTERS) tell();
  }

  function tellWatched(): void {
    timers.get("watch")?.();
    if (watched.length > 0 || isWatching) tell();
  }

  function tell(): void {
    if (state !== "open") return;
    isWatching = watched.length > 0;
    unsaid = NOTHING;
    socket?.send(JSON.stringify({ type: "live.watch", machines: [...watched], seenMark } satisfies LiveWatch));
    if (watched.length > 0) plan("watch", WATCH_RENEW_MS, tellWatched);
  }

  connect();
  return {
    state: () => state,
    watch(machines) {
      if (JSON.stringify(machines) === JSON.stringify(watched)) return;
      watched = machines;
      tellWatched();
    },
    stop() {
      for (const stop of timers.values()) stop();
      socket?.close();
      socket = null;
    },
  };
}

/** Null for a pong, and for what this page does not know. */
function parseMessage(text: string): FromLiveMessage | null {
  if (!text.startsWith("{")) return null;
  const parsed = FromLiveMessage.safeParse(JSON.parse(text));
  return parsed.success ? parsed.data : null;
}
