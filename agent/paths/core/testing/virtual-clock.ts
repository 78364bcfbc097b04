// Time that passes only when it is told to, and what is to happen in it, in order.
export interface VirtualClock {
  now(): number;
  /** Returns what cancels it. */
  after(delayMs: number, run: () => void): () => void;
  runUntil(atMs: number): void;
}

interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
  isCancelled: boolean;
}

/** So many things at one moment are a loop in which no time passes. */
const MOST_AT_ONCE = 20_000;

export function createVirtualClock(startMs: number): VirtualClock {
  const heap: Entry[] = [];
  let nowMs = startMs;
  let order = 0;
  let atOnce = 0;

  const isBefore = (one: Entry, other: Entry) =>
    one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);

  function push(entry: Entry): void {
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Entry;
      if (!isBefore(entry, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  function pop(): Entry {
    const first = heap[0] as Entry;
    const last = heap.pop() as Entry;
    if (heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Entry, heap[child] as Entry)) child++;
      if (!isBefore(heap[child] as Entry, last)) break;
      heap[index] = heap[child] as Entry;
      index = child;
    }
    heap[index] = last;
    return first;
  }

  function advanceTo(atMs: number): void {
    atOnce = atMs > nowMs ? 0 : atOnce + 1;
    if (atOnce > MOST_AT_ONCE) throw new Error(`time stands still at ${nowMs}`);
    nowMs = Math.max(nowMs, atMs);
  }

  return {
    now: () => nowMs,
    after(delayMs, run) {
      const entry = { atMs: nowMs + Math.max(0, delayMs), order: order++, run, isCancelled: false };
      push(entry);
      return () => {
        entry.isCancelled = true;
      };
    },
    runUntil(atMs) {
      while (heap.length > 0 && (heap[0] as Entry).atMs <= atMs) {
        const entry = pop();
        if (entry.isCancelled) continue;
        advanceTo(entry.atMs);
        entry.run();
      }
      nowMs = Math.max(nowMs, atMs);
    },
  };
}
