// Joins packets into frames: each frame costs the sender, the relay and the receiver a system call and a wake-up.
import type { Clock } from "../system/clock.ts";
import { createFrameWriter } from "./framing.ts";

export interface Batcher {
  /** A carriable packet. It is copied. */
  add(packet: Uint8Array): void;
  /** Sends what waits now. */
  flush(): void;
  /** Drops what waits. */
  stop(): void;
}

const MAX_WAIT_MS = 1;

/** @param send gets memory that is used again after it returns */
export function createBatcher(clock: Clock, send: (frame: Uint8Array) => void): Batcher {
  const writer = createFrameWriter();
  let cancelTimer: (() => void) | null = null;
  let lastSentAt = Number.NEGATIVE_INFINITY;

  function flush(): void {
    cancelTimer?.();
    cancelTimer = null;
    if (writer.isEmpty()) return;
    lastSentAt = clock.now();
    send(writer.take());
  }

  return {
    add(packet) {
      if (!writer.add(packet)) {
        flush();
        writer.add(packet);
      }
      if (cancelTimer !== null) return;
      // After a pause there is nothing to join it with: a ping, or the first of many, shall not wait.
      const sinceSent = clock.now() - lastSentAt;
      if (sinceSent < 0 || sinceSent >= MAX_WAIT_MS) flush();
      else cancelTimer = clock.setTimer(MAX_WAIT_MS, flush);
    },
    flush,
    stop() {
      cancelTimer?.();
      cancelTimer = null;
      writer.take();
    },
  };
}
