// Asks again for what was made old, each thing at most once a second, and the last change always: a storm of hints is few questions, and
// nothing is left old. What takes long is asked more seldom. One question of a kind at a time.

export interface Refresher {
  /** @param id what is old */
  mark(id: string): void;
}

export interface RefresherParts {
  /** Asks; settles when there is an answer, whatever it is. */
  readonly refresh: (id: string) => Promise<unknown>;
  readonly now: () => number;
  readonly startTimer: (ms: number, run: () => void) => unknown;
}

const LEAST_GAP_MS = 1_000;
/** Of the time: what takes long takes half of it at most. */
const GAP_PER_DURATION = 2;

export function createRefresher({ refresh, now, startTimer }: RefresherParts): Refresher {
  const entries = new Map<string, { state: "resting" | "planned" | "asking"; isOld: boolean }>();

  function plan(id: string, delayMs: number): void {
    entries.set(id, { state: "planned", isOld: false });
    startTimer(delayMs, () => void run(id));
  }

  async function run(id: string): Promise<void> {
    const entry = { state: "asking" as const, isOld: false };
    entries.set(id, entry);
    const startedAt = now();
    await refresh(id);
    const durationMs = now() - startedAt;
    const restMs = Math.max(LEAST_GAP_MS, durationMs * GAP_PER_DURATION) - durationMs;
    if (entry.isOld) plan(id, restMs);
    else rest(id, restMs);
  }

  /** Until then another change waits. */
  function rest(id: string, ms: number): void {
    const entry = { state: "resting" as const, isOld: false };
    entries.set(id, entry);
    startTimer(ms, () => {
      if (entries.get(id) !== entry) return;
      if (entry.isOld) void run(id);
      else entries.delete(id);
    });
  }

  return {
    mark(id) {
      const entry = entries.get(id);
      if (entry === undefined) plan(id, 0);
      else if (entry.state !== "planned") entry.isOld = true;
    },
  };
}
