// What others may still count on for a moment. A machine that is told to announce a network no more is sent packets for it until all others
// have heard of that too: until then it goes on forwarding them. Additions are never late.
import type { Clock } from "../system/clock.ts";

export interface Linger<T> {
  /** What is there now, then what went a moment ago. The same list for the same list, as long as nothing is over. */
  extend(key: string, now: readonly T[]): readonly T[];
  /** Nothing of this lingers any more. */
  forget(key: string): void;
  stop(): void;
}

export interface LingerOptions<T> {
  readonly clock: Pick<Clock, "now" | "setTimer">;
  readonly lingerMs: number;
  /** One that is there now takes the place of one that went with the same id. */
  readonly toId: (value: T) => string;
  /** Something that lingered is over: `extend` says something else. */
  readonly onOver: () => void;
}

interface Known<T> {
  readonly now: readonly T[];
  readonly gone: readonly { readonly value: T; readonly untilMs: number }[];
  readonly extended: readonly T[];
}

export function createLinger<T>({ clock, lingerMs, toId, onOver }: LingerOptions<T>): Linger<T> {
  const known = new Map<string, Known<T>>();
  let cancel = () => {};

  function schedule(): void {
    cancel();
    const nowMs = clock.now();
    const ends = [...known.values()]
      .flatMap(({ gone }) => gone.map(({ untilMs }) => untilMs))
      .filter((untilMs) => untilMs > nowMs);
    if (ends.length === 0) return;
    cancel = clock.setTimer(Math.min(...ends) - nowMs, () => {
      onOver();
      schedule();
    });
  }

  return {
    extend(key, now) {
      const nowMs = clock.now();
      const before = known.get(key) ?? { now: [], gone: [], extended: now };
      const isOver = before.gone.some(({ untilMs }) => untilMs <= nowMs);
      if (before.now === now && !isOver) return before.extended;
      const ids = new Set(now.map(toId));
      const gone = [
        ...before.gone.filter(({ value, untilMs }) => untilMs > nowMs && !ids.has(toId(value))),
        ...before.now.filter((value) => !ids.has(toId(value))).map((value) => ({ value, untilMs: nowMs + lingerMs })),
      ];
      const extended = gone.length === 0 ? now : [...now, ...gone.map(({ value }) => value)];
      known.set(key, { now, gone, extended });
      if (gone.length > 0 || before.gone.length > 0) schedule();
      return extended;
    },
    forget(key) {
      known.delete(key);
      schedule();
    },
    stop: () => cancel(),
  };
}
