// Keeps one link to one object alive: chooses the transport, reconnects, notices an object that no longer answers.
//
//   WebSocket ──cannot be opened, or dies young twice──► long-poll ──soon, then every few minutes: does it open?──► WebSocket
//        └──────────────── neither answers: wait with full jitter, begin with the WebSocket ────────────────┘
//
// It ends for good only when the control plane says that this machine is out (`onStopped`). Replaced by another instance of the machine (a
// cloned disk), or of a wire version that is not spoken there: that may pass, so it tries again, rarely.
import { err, type Result } from "#schema/result";
import type { Clock } from "../system/clock.ts";
import type { Logger } from "../system/logger.ts";
import type { Random } from "../system/random.ts";
import { type BackoffOptions, toBackoffMs } from "./backoff.ts";
import type { LongPollTimings } from "./long-poll.ts";
import type { SocketTimings } from "./socket.ts";
import type { Channel, LinkEnd, LinkTarget, Transport } from "./transport.ts";

export interface LinkTimings extends SocketTimings, LongPollTimings {
  /** A greeting or heartbeat that gets no message in answer for this long: the object lost its way, connect anew. */
  readonly answerTimeoutMs: number;
  readonly backoff: BackoffOptions;
  /** After a refusal that only somebody else can cure, or time. */
  readonly patientBackoff: BackoffOptions;
  /** A WebSocket that ends sooner died young. */
  readonly shortLifeMs: number;
  /** When a link that polls tries the WebSocket first: it may have failed in the moment in which a proxy was restarted. */
  readonly firstWebSocketRetryMs: number;
  /** And how often in the end: each wait is twice the one before, until a WebSocket lives. */
  readonly webSocketRetryMs: number;
}

export type StopReason = Extract<LinkEnd, { code: "removed" | "machine_removed" }>;

export type ConnectionState =
  | { readonly kind: "connecting" }
  | { readonly kind: "connected"; readonly transport: Transport["name"]; readonly sinceMs: number }
  /** Tries again by itself. */
  | { readonly kind: "waiting"; readonly reason: string; readonly untilMs: number }
  | { readonly kind: "stopped"; readonly reason: string };

export interface ConnectionOptions {
  readonly target: LinkTarget;
  readonly webSocket: Transport;
  readonly longPoll: Transport;
  readonly heartbeatMs: number;
  readonly timings: LinkTimings;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly onMessage: (message: unknown) => void;
  /** Due every `heartbeatMs` while connected; what it returns is sent and must be answered. */
  readonly toHeartbeat: () => object | null;
  readonly onStopped: (reason: StopReason) => void;
}

export interface Connection {
  start(): void;
  /** Dropped when not connected: the greeting and what follows it say all again. */
  send(message: object): void;
  /** Whatever it waits for, it tries now; a connection that may be dead has to prove that it lives. */
  networkChanged(): void;
  stop(): void;
  state(): ConnectionState;
}

interface Live {
  readonly channel: Channel;
  readonly transport: Transport["name"];
}

export function createConnection(options: ConnectionOptions): Connection {
  const { target, webSocket, longPoll, timings, clock, random, log } = options;
  const lifetime = new AbortController();
  let state: ConnectionState = { kind: "connecting" };
  let live: Live | null = null;
  let youngDeaths = 0;
  let failures = 0;
  /** A WebSocket that opens and is cut at once was tried in vain, too: the wait outlives the links that it was of. */
  let webSocketWaitMs = timings.firstWebSocketRetryMs;
  /**
   * What the change of a network ended has not failed: it is opened anew at once. What ends long after has proved itself meanwhile, and ends with
   * many others: it waits as they do.
   */
  let changedAtMs: number | null = null;
  let isWaitingPatiently = false;
  let wake: () => void = () => {};

  async function run(): Promise<void> {
    while (!lifetime.signal.aborted) {
      state = { kind: "connecting" };
      const beganAtMs = clock.now();
      const opened = await open();
      let end: LinkEnd;
      if (opened.ok) {
        const sinceMs = clock.now();
        end = await use(opened.value);
        // Two instances of one machine take turns: that the link lived in between does not make another turn more urgent.
        const goodLifeMs = isPatient(end) ? timings.patientBackoff.capMs : timings.shortLifeMs;
        if (clock.now() - sinceMs >= goodLifeMs) failures = 0;
      } else {
        end = opened.error;
      }
      if (lifetime.signal.aborted) return;
      if (isStop(end)) return stopFor(end);
      const isOfChange =
        changedAtMs !== null && beganAtMs <= changedAtMs && clock.now() - changedAtMs <= timings.openTimeoutMs;
      changedAtMs = null;
      if (end.code === "network" && isOfChange) continue;
      failures++;
      const backoff = isPatient(end) ? timings.patientBackoff : timings.backoff;
      const retryAfterMs = "retryAfterMs" in end ? end.retryAfterMs : null;
      await pause(toBackoffMs(failures, random, backoff, retryAfterMs), end);
    }
  }

  /** An attempt that was begun on the network before gets as long as a connection to prove itself. */
  async function open(): Promise<Result<Live, LinkEnd>> {
    const attempt = new AbortController();
    let cancel = () => {};
    wake = () => {
      cancel();
      cancel = clock.setTimer(timings.probeTimeoutMs, () => attempt.abort());
    };
    try {
      return await openEither(AbortSignal.any([lifetime.signal, attempt.signal]));
    } catch (error) {
      if (lifetime.signal.aborted || !attempt.signal.aborted) throw error;
      return err({ code: "network", message: "the network changed while it was being opened" });
    } finally {
      cancel();
      wake = () => {};
    }
  }

  async function openEither(signal: AbortSignal): Promise<Result<Live, LinkEnd>> {
    let socketEnd: LinkEnd | null = null;
    if (youngDeaths < 2) {
      const opened = await webSocket.open(target, signal);
      if (opened.ok) return { ok: true, value: { channel: opened.value, transport: webSocket.name } };
      socketEnd = opened.error;
      // A word of the control plane itself holds for both transports.
      if (socketEnd.code !== "network" && socketEnd.code !== "foreign") return err(socketEnd);
    }
    const opened = await longPoll.open(target, signal);
    if (opened.ok) return { ok: true, value: { channel: opened.value, transport: longPoll.name } };
    youngDeaths = 0;
    return err(opened.error.code === "network" && socketEnd !== null ? socketEnd : opened.error);
  }

  /** Lives on a connection, and on the WebSocket that follows a long-poll, until the end. */
  function use(first: Live): Promise<LinkEnd> {
    return new Promise((resolve) => {
      const cancels = new Set<() => void>();
      const finish = (end: LinkEnd) => {
        for (const cancel of cancels) cancel();
        cancels.clear();
        live?.channel.close();
        live = null;
        wake = () => {};
        resolve(end);
      };
      const onAbort = () => finish({ code: "network", message: "stopped" });
      lifetime.signal.addEventListener("abort", onAbort, { once: true });
      cancels.add(() => lifetime.signal.removeEventListener("abort", onAbort));
      wake = () => live?.channel.probe();
      const heartbeat = startHeartbeat(cancels, finish);
      const take = (next: Live) => {
        const sinceMs = clock.now();
        live = next;
        state = { kind: "connected", transport: next.transport, sinceMs };
        log.info("connected", { path: target.path, transport: next.transport });
        // The greeting is a question too.
        heartbeat.expectAnswer();
        next.channel.listen({
          onMessage: (message) => {
            if (live !== next) return;
            heartbeat.answered();
            handle(message);
          },
          onEnd: (end) => {
            if (live !== next) return;
            const isYoung = next.transport === "websocket" && clock.now() - sinceMs < timings.shortLifeMs;
            youngDeaths = isYoung && (end.code === "network" || end.code === "foreign") ? youngDeaths + 1 : 0;
            if (next.transport === "websocket" && !isYoung) webSocketWaitMs = timings.firstWebSocketRetryMs;
            live = null;
            finish(end);
          },
        });
      };
      take(first);
      if (first.transport === "long-poll") scheduleUpgrade(cancels, take);
    });
  }

  /** A message must never be able to end the agent, whatever is in it. */
  function handle(message: unknown): void {
    try {
      options.onMessage(message);
    } catch (error) {
      log.error("a message could not be handled", { path: target.path, error });
    }
  }

  function startHeartbeat(cancels: Set<() => void>, finish: (end: LinkEnd) => void) {
    let cancelBeat = () => {};
    let cancelWait = () => {};
    const schedule = () => {
      cancelBeat = clock.setTimer(options.heartbeatMs, () => {
        schedule();
        const message = options.toHeartbeat();
        if (message === null) return;
        live?.channel.send(message);
        expectAnswer();
      });
    };
    const expectAnswer = () => {
      cancelWait();
      cancelWait = clock.setTimer(timings.answerTimeoutMs, () =>
        finish({ code: "network", message: "the control plane's object does not answer" }),
      );
    };
    schedule();
    cancels.add(() => {
      cancelBeat();
      cancelWait();
    });
    return { expectAnswer, answered: () => cancelWait() };
  }

  function scheduleUpgrade(cancels: Set<() => void>, take: (next: Live) => void): void {
    const attempt = new AbortController();
    cancels.add(() => attempt.abort());
    const schedule = () => {
      const cancel = clock.setTimer(webSocketWaitMs, () => {
        webSocketWaitMs = Math.min(2 * webSocketWaitMs, timings.webSocketRetryMs);
        webSocket.open(target, attempt.signal).then(
          (opened) => {
            if (!opened.ok) return schedule();
            if (attempt.signal.aborted) return opened.value.close();
            live?.channel.close();
            youngDeaths = 0;
            take({ channel: opened.value, transport: webSocket.name });
          },
          // Aborted: the link it was for has ended.
          () => {},
        );
      });
      cancels.add(cancel);
    };
    schedule();
  }

  function pause(ms: number, end: LinkEnd): Promise<void> {
    state = { kind: "waiting", reason: end.message, untilMs: clock.now() + ms };
    log[isPatient(end) ? "warn" : "info"]("not connected, trying again", {
      path: target.path,
      reason: end.message,
      waitMs: Math.round(ms),
    });
    isWaitingPatiently = isPatient(end);
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        wake = () => {};
        isWaitingPatiently = false;
        resolve();
      };
      const cancel = clock.setTimer(ms, done);
      wake = done;
    });
  }

  function stopFor(end: StopReason): void {
    state = { kind: "stopped", reason: end.message };
    lifetime.abort();
    options.onStopped(end);
  }

  return {
    start() {
      run().catch((error: unknown) => {
        if (!lifetime.signal.aborted) throw error;
      });
    },
    send: (message) => live?.channel.send(message),
    networkChanged() {
      changedAtMs = clock.now();
      youngDeaths = 0;
      webSocketWaitMs = timings.firstWebSocketRetryMs;
      // The network has no part in what is waited out patiently.
      if (!isWaitingPatiently) failures = 0;
      wake();
    },
    stop() {
      state = { kind: "stopped", reason: "the agent stops" };
      const endPause = wake;
      lifetime.abort();
      endPause();
    },
    state: () => state,
  };
}

function isStop(end: LinkEnd): end is StopReason {
  return end.code === "removed" || end.code === "machine_removed";
}

function isPatient({ code }: LinkEnd): boolean {
  return code === "rejected" || code === "replaced" || code === "wire_version";
}
