// Runs one check again and again, from a random moment on so that checks told together spread: one at a time, each an interval after the
// one before began, or at once when that took longer.
import type { HealthCheck } from "#schema/health-check";
import type { Clock } from "../system/clock.ts";
import type { Random } from "../system/random.ts";
import type { CheckResult } from "./duty-state.ts";
import type { RunCheck } from "./run-check.ts";

export interface CheckRunnerPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly runCheck: RunCheck;
  /** Runs it as soon as fewer than the most are running. */
  readonly queue: <T>(work: () => Promise<T>) => Promise<T>;
}

export interface CheckRunnerOptions {
  readonly check: HealthCheck;
  /** The machine's own address, for targets without a host. */
  readonly self: string;
  /** Before the first one. */
  readonly waitMs: number;
  readonly onResult: (result: CheckResult) => void;
}

const SPREAD_MS = 1_000;

/** The returned function ends it; nothing is reported from then on. */
export function startChecks(
  ports: CheckRunnerPorts,
  { check, self, waitMs, onResult }: CheckRunnerOptions,
): () => void {
  const { clock, random, runCheck, queue } = ports;
  const intervalMs = check.intervalSeconds * 1_000;
  const lifetime = new AbortController();

  async function runOnce(): Promise<CheckResult> {
    const atMs = clock.now();
    const attempt = new AbortController();
    const give = (reason: unknown) => attempt.abort(reason);
    const onEnd = () => give(lifetime.signal.reason);
    lifetime.signal.addEventListener("abort", onEnd, { once: true });
    const timeoutMs = check.timeoutSeconds * 1_000;
    const cancel = clock.setTimer(timeoutMs, () => give(new Error(`no answer within ${check.timeoutSeconds} s`)));
    try {
      const found = await runCheck(check, { self, timeoutMs, signal: attempt.signal });
      return { ...found, atMs, durationMs: clock.now() - atMs };
    } finally {
      cancel();
      lifetime.signal.removeEventListener("abort", onEnd);
    }
  }

  async function run(): Promise<void> {
    await clock.sleep(waitMs + random() * Math.min(SPREAD_MS, intervalMs), lifetime.signal);
    for (;;) {
      const result = await queue(runOnce);
      if (lifetime.signal.aborted) return;
      onResult(result);
      await clock.sleep(Math.max(0, result.atMs + intervalMs - clock.now()), lifetime.signal);
    }
  }

  // The only way out of the loop is its end.
  run().catch(() => undefined);
  return () => lifetime.abort(new Error("the check is not needed any more"));
}

/** Lets `most` of what is queued run at once, in the order it came. */
export function createQueue(most: number): CheckRunnerPorts["queue"] {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await work();
    } finally {
      // The place is handed on, so that nobody comes in between.
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };
}
