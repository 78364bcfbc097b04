// One round: faults begin, last, end; what flows meanwhile is counted, and then all has to become well again.
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../lab/probes/eventually.ts";
import { judgeRound } from "./judge-round.ts";
import type { Fault, FaultFleet } from "./kinds/fault.ts";
import type { Changes } from "./load/changes.ts";
import type { Flows } from "./load/flows.ts";
import type { Ledger } from "./load/ledger.ts";
import { startPings } from "./load/pings.ts";
import type { Round } from "./result.ts";
import { watchConvergence } from "./watch/convergence.ts";
import type { Dropped } from "./watch/dropped.ts";
import { judgeLogs, type Logs } from "./watch/logs.ts";

const BEFORE = 10;
const LIMIT_MS = 120_000;

export interface RoundInput {
  readonly on: FaultFleet;
  readonly name: string;
  readonly faults: readonly Fault[];
  readonly durationMs: number;
  readonly changes: Changes;
  readonly ledger: Ledger;
  readonly flows: Flows;
  readonly logs: Logs;
  readonly dropped: Dropped;
  readonly signal?: AbortSignal;
}

export async function runRound(input: RoundInput): Promise<Round> {
  const { on, name, faults, durationMs, changes, ledger, flows, logs } = input;
  logs.take();
  await input.dropped.take();
  const beganAt = performance.now();
  const pings = await startPings(on);
  const flow = () => pings.received().every((count) => count >= BEFORE);
  await eventually(flow, { withinMs: 30_000, describe: "pings flow" });
  const changing = new AbortController();
  const making = changes.run(changing.signal);
  try {
    await last(faults, durationMs, input.signal);
  } finally {
    changing.abort();
  }
  const made = await making;
  const convergence = await watchConvergence(on, { pings, changes, ledger, limitMs: LIMIT_MS });
  if (convergence.ms !== null) await changes.settle();
  const losses = await pings.stop();
  const expectedErrors = faults.flatMap((fault) => fault.expectedErrors ?? []);
  const log = logs.take();
  const logProblems = judgeLogs(log, { expectedErrors, durationMs: performance.now() - beganAt });
  const problems = [...made.refused, ...flows.takeProblems(), ...logProblems];
  const dropped = await input.dropped.take();
  return judgeRound(faults, { name, losses, convergence, changes: made, problems, dropped, log });
}

/** They end in the other order, whatever happens. */
async function last(faults: readonly Fault[], durationMs: number, signal: AbortSignal | undefined): Promise<void> {
  const over = new AbortController();
  const begun: Fault[] = [];
  try {
    for (const fault of faults) {
      await fault.begin();
      begun.unshift(fault);
    }
    const repeating = faults.map((fault) => repeat(fault, over.signal));
    await delay(durationMs, null, signal ? { signal } : {});
    over.abort();
    await Promise.all(repeating);
  } finally {
    over.abort();
    for (const fault of begun) await fault.end();
  }
}

async function repeat({ again }: Fault, signal: AbortSignal): Promise<void> {
  if (!again) return;
  for (;;) {
    await delay(again.everyMs, null, { signal }).catch(() => {});
    if (signal.aborted) return;
    await again.run();
  }
}
