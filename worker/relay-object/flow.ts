// What one receiver of a relay may be sent. A WebSocket here has no back-pressure: whatever is sent to a slow receiver piles up in the
// runtime's memory. So it gets no more than a window beyond what it has acknowledged; then frames wait, and the oldest are dropped, as the
// newest are the ones that a connection inside the tunnel still wants. Pure.
import { RELAY_QUEUE_BYTES, RELAY_WINDOW_BYTES } from "#schema/wire/relay";

/** Both count from the opening of the receiver's connection. */
export interface FlowCounters {
  readonly sentBytes: number;
  readonly ackedBytes: number;
}

export interface Flow {
  /** A frame for the receiver. Answers those that are to be sent now, in order. */
  offer(frame: ArrayBuffer): readonly ArrayBuffer[];
  /** How much the receiver has taken in all, at most what was sent. Answers those that may follow now. */
  acknowledge(bytes: number): readonly ArrayBuffer[];
  readonly counters: FlowCounters;
}

/** So many places that were left are given back at once. */
const MAX_EMPTY_PLACES = 256;

export function createFlow({ sentBytes, ackedBytes }: FlowCounters): Flow {
  let waiting: ArrayBuffer[] = [];
  // The oldest is at `head`; an array's own shift() moves all that follow, and frames may be short and so many.
  let head = 0;
  let waitingBytes = 0;

  function takeSendable(): ArrayBuffer[] {
    const sendable: ArrayBuffer[] = [];
    for (;;) {
      const next = waiting[head];
      if (next === undefined || sentBytes - ackedBytes + next.byteLength > RELAY_WINDOW_BYTES) return sendable;
      sentBytes += next.byteLength;
      sendable.push(next);
      dropOldest();
    }
  }

  function dropOldest(): void {
    waitingBytes -= waiting[head]?.byteLength ?? 0;
    head++;
    if (head < waiting.length && head < MAX_EMPTY_PLACES) return;
    waiting = waiting.slice(head);
    head = 0;
  }

  return {
    offer(frame) {
      waiting.push(frame);
      waitingBytes += frame.byteLength;
      const sendable = takeSendable();
      while (waitingBytes > RELAY_QUEUE_BYTES) dropOldest();
      return sendable;
    },
    acknowledge(bytes) {
      // Totals only grow, and nobody can have taken more than was sent: whatever else a receiver says, the window stays one.
      ackedBytes = Math.min(Math.max(ackedBytes, bytes), sentBytes);
      return takeSendable();
    },
    get counters() {
      return { sentBytes, ackedBytes };
    },
  };
}
