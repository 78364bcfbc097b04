// The whole run on one fleet, round after round; at the end the control plane is killed once more, and what it acknowledged has to be there.
import { FAULTS, type FaultName } from "./kinds/fault-kinds.ts";
import { createChanges } from "./load/changes.ts";
import { createFaultFleet } from "./load/fault-fleet.ts";
import { startFlows } from "./load/flows.ts";
import { createLedger } from "./load/ledger.ts";
import { startPings } from "./load/pings.ts";
import { planRounds } from "./plan-rounds.ts";
import { createRandom } from "./random.ts";
import type { FaultsResult, Round } from "./result.ts";
import { runRound } from "./run-round.ts";
import { watchConvergence } from "./watch/convergence.ts";
import { watchDropped } from "./watch/dropped.ts";
import { watchLogs } from "./watch/logs.ts";

const LIMIT_MS = 120_000;

export interface FaultsOptions {
  readonly names: readonly FaultName[];
  readonly seconds: number;
  readonly seed: number;
  readonly onRound?: (round: Round) => void;
  readonly signal?: AbortSignal;
}

export async function runFaults({ names, seconds, seed, onRound, signal }: FaultsOptions): Promise<FaultsResult> {
  const random = createRandom(seed);
  const rounds = planRounds(names, random);
  const on = await createFaultFleet(signal ? { signal } : {});
  await using fleet = on.fleet;
  const ledger = createLedger();
  const changes = await createChanges(on, ledger, random);
  const flows = await startFlows(on);
  const logs = watchLogs([fleet.lab.control, ...fleet.lab.machines]);
  const routers = ["home", "hotel"].map((name) => fleet.lab.node(name));
  const dropped = watchDropped([...fleet.lab.machines, ...routers, fleet.lab.internet, fleet.lab.control]);
  const done: Round[] = [];
  for (const planned of rounds) {
    signal?.throwIfAborted();
    const faults = planned.map((name) => FAULTS[name](on, random));
    const durationMs = seconds * 1_000;
    const common = { on, changes, ledger, flows, logs, dropped, ...(signal ? { signal } : {}) };
    const round = await runRound({ ...common, name: planned.join("+"), faults, durationMs });
    done.push(round);
    onRound?.(round);
  }
  await fleet.controlPlane.kill();
  await fleet.controlPlane.start();
  const pings = await startPings(on);
  const last = await watchConvergence(on, { pings, changes, ledger, limitMs: LIMIT_MS });
  await pings.stop();
  const lost = ledger.findLost(await changes.read());
  const twice = ledger.addressesGivenTwice();
  const times = done.map((round) => round.convergeMs);
  return {
    ...{ seed, seconds },
    acknowledged: ledger.acknowledged(),
    acknowledgedLost: lost.length,
    addressesGivenTwice: twice.length,
    lostUnexpectedly: done.reduce((total, round) => total + round.lostUnexpectedly, 0),
    maxConvergeMs: times.includes(null) ? null : Math.max(0, ...times.map((ms) => ms ?? 0)),
    problems: [
      ...done.flatMap((round) => round.problems.map((problem) => `${round.name}: ${problem}`)),
      ...last.missing.map((one) => `never well at the end: ${one}`),
      ...lost.map((one) => `lost: ${one}`),
      ...twice.map((one) => `given twice: ${one}`),
      ...[...(await flows.untilMoved()), ...flows.takeProblems()].map((one) => `flow: ${one}`),
    ],
    faults: done,
  };
}
