// The same messages over plain requests, where WebSockets do not pass: reports are posted, news is waited for by a GET that the
// object holds. One POST and one GET at a time.

import { MAX_MACHINE_MESSAGE_BYTES, MAX_POLL_WAIT_SECONDS } from "#schema/limits";
import { err, ok, type Result } from "#schema/result";
import { MAX_BATCH_MESSAGES, MessageBatch } from "#schema/wire/messages";
import type { Clock } from "../system/clock.ts";
import type { ApiFailure } from "./api-failure.ts";
import type { MachineApi } from "./machine-api.ts";
import {
  type Channel,
  type ChannelEvents,
  type LinkEnd,
  type LinkTarget,
  type Transport,
  toLinkEnd,
} from "./transport.ts";

export interface LongPollTimings {
  readonly postTimeoutMs: number;
  /** On top of the hold. */
  readonly pollSlackMs: number;
  /** Rest after a poll that was answered at once and told nothing new, so that a confused server is not asked in a tight loop. */
  readonly idlePollMs: number;
}

/** The rest of a body is its frame and the commas. */
const MAX_BATCH_BYTES = MAX_MACHINE_MESSAGE_BYTES - 1_024;

export function createLongPollTransport(api: MachineApi, clock: Clock, timings: LongPollTimings): Transport {
  return {
    name: "long-poll",
    async open(target, signal) {
      const limits = { timeoutMs: timings.postTimeoutMs, signal };
      const first = toMessages(await api.post(target.path, { messages: [target.greet()] }, limits));
      if (!first.ok) return first;
      return ok(createPollChannel({ api, clock, timings, target, first: first.value }));
    },
  };
}

interface ChannelParts {
  readonly api: MachineApi;
  readonly clock: Clock;
  readonly timings: LongPollTimings;
  readonly target: LinkTarget;
  readonly first: readonly unknown[];
}

function createPollChannel({ api, clock, timings, target, first }: ChannelParts): Channel {
  const controller = new AbortController();
  const { signal } = controller;
  const waiting: object[] = [];
  let events: ChannelEvents | null = null;
  let isPosting = false;

  function finish(end: LinkEnd): void {
    if (signal.aborted) return;
    controller.abort();
    events?.onEnd(end);
  }
  function deliver(messages: readonly unknown[]): void {
    for (const message of messages) if (!signal.aborted) events?.onMessage(message);
  }
  async function post(): Promise<void> {
    isPosting = true;
    while (waiting.length > 0 && !signal.aborted) {
      const messages = waiting.splice(0, countForBatch(waiting));
      const reply = toMessages(await api.post(target.path, { messages }, { timeoutMs: timings.postTimeoutMs, signal }));
      if (!reply.ok) return finish(reply.error);
      deliver(reply.value);
    }
    isPosting = false;
  }
  async function poll(): Promise<void> {
    deliver(first);
    while (!signal.aborted) {
      const startedAt = clock.now();
      const asked = { ...target.pollQuery(), wait: MAX_POLL_WAIT_SECONDS };
      const timeoutMs = MAX_POLL_WAIT_SECONDS * 1_000 + timings.pollSlackMs;
      const reply = toMessages(await api.get(target.path, asked, { timeoutMs, signal }));
      if (!reply.ok) return finish(reply.error);
      deliver(reply.value);
      const isNothingNew = JSON.stringify(target.pollQuery()) === JSON.stringify({ ...asked, wait: undefined });
      if (isNothingNew && clock.now() - startedAt < timings.idlePollMs) await clock.sleep(timings.idlePollMs, signal);
    }
  }
  function run(task: () => Promise<void>): void {
    task().catch((error: unknown) => {
      // An abort is `close`, and wants no event.
      if (!signal.aborted) finish({ code: "network", message: String(error) });
    });
  }

  return {
    listen(listener) {
      events = listener;
      run(poll);
      if (waiting.length > 0) run(post);
    },
    send(message) {
      if (signal.aborted) return;
      waiting.push(message);
      if (events !== null && !isPosting) run(post);
    },
    // A held request can't be asked anything: a new one finds out.
    probe: () => finish({ code: "network", message: "the network changed" }),
    close: () => controller.abort(),
  };
}

/** A message that is too long by itself goes alone. */
function countForBatch(waiting: readonly object[]): number {
  let bytes = 0;
  const fitting = waiting.slice(0, MAX_BATCH_MESSAGES).findIndex((message) => {
    bytes += Buffer.byteLength(JSON.stringify(message));
    return bytes > MAX_BATCH_BYTES;
  });
  return fitting === -1 ? MAX_BATCH_MESSAGES : Math.max(1, fitting);
}

function toMessages(reply: Result<unknown, ApiFailure>): Result<readonly unknown[], LinkEnd> {
  if (!reply.ok) return err(toLinkEnd(reply.error));
  const batch = MessageBatch.safeParse(reply.value);
  if (batch.success) return ok(batch.data.messages);
  return err({ code: "foreign", message: "the answer is not one of a Becket control plane", retryAfterMs: null });
}
