// From what was seen in a round to its result. Pure.
import type { Pair } from "./kinds/fault.ts";
import type { ChangesMade } from "./load/changes.ts";
import type { PairLoss, Round } from "./result.ts";
import type { Convergence } from "./watch/convergence.ts";
import { findAround, type LogLine } from "./watch/logs.ts";

export interface Allowance {
  mayLose(pair: Pair): boolean;
  readonly longestGapMs?: number;
}

export interface RoundSeen {
  readonly name: string;
  readonly losses: readonly PairLoss[];
  readonly convergence: Convergence;
  readonly changes: Omit<ChangesMade, "refused">;
  /** Of logs, flows and changes. */
  readonly problems: readonly string[];
  /** What kernels dropped meanwhile, in words. */
  readonly dropped: readonly string[];
  readonly log: readonly LogLine[];
}

/** Members and routes are changed in turn: among so many there is one of each, or the run has stopped trying. */
const ENOUGH_CHANGES = 10;

export function judgeRound(faults: readonly Allowance[], seen: RoundSeen): Round {
  const isAllowed = ({ pair }: PairLoss) => faults.some((fault) => fault.mayLose(toPair(pair)));
  const unexpected = seen.losses.filter((loss) => loss.lost > 0 && !isAllowed(loss));
  const tooLong = seen.losses.filter((loss) => loss.longestGapMs > longestGap(faults, loss));
  return {
    name: seen.name,
    lostPackets: sum(seen.losses),
    lostUnexpectedly: sum(unexpected),
    longestGapMs: Math.max(0, ...seen.losses.map((loss) => loss.longestGapMs)),
    convergeMs: seen.convergence.ms,
    acknowledged: seen.changes.acknowledged,
    acknowledgedOfMembers: seen.changes.acknowledgedOfMembers,
    failed: [...seen.changes.failed],
    parts: seen.convergence.parts,
    waitedFor: seen.convergence.waitedFor,
    problems: [
      ...unexpected.map((loss) => `${render(loss)}: ${loss.lost} of ${loss.sent} pings lost${renderTimes(loss)}`),
      ...(unexpected.length === 0 ? [] : seen.dropped),
      ...findAround(
        seen.log,
        unexpected.flatMap(({ gapsAfterMs }) => gapsAfterMs),
      ),
      ...tooLong.map((loss) => `${render(loss)}: silent for ${loss.longestGapMs} ms`),
      ...seen.convergence.missing.map((one) => `never well again: ${one}`),
      ...(seen.changes.acknowledged >= ENOUGH_CHANGES && seen.changes.acknowledgedOfMembers === 0
        ? ["no member came or went"]
        : []),
      ...seen.problems,
    ],
    losses: [...seen.losses],
  };
}

/** A fault that ends with packets finding no way makes no promise for all that happen with it. */
function longestGap(faults: readonly Allowance[], { pair }: PairLoss): number {
  const limits = faults.filter((fault) => fault.mayLose(toPair(pair))).map((fault) => fault.longestGapMs ?? Infinity);
  return limits.reduce((total, limit) => total + limit, limits.length === 0 ? Infinity : 0);
}

const toPair = ([from = "", to = ""]: readonly string[]): Pair => [from, to];
const render = ({ pair: [from], to }: PairLoss): string => `${from} → ${to}`;
const renderTimes = ({ gapsAfterMs: [first] }: PairLoss): string =>
  first === undefined ? "" : `, the first after ${new Date(first).toISOString()}`;
const sum = (losses: readonly PairLoss[]): number => losses.reduce((total, { lost }) => total + lost, 0);
