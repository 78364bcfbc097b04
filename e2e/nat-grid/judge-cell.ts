// From what both ends of a pair saw to a cell of the grid. Pure.
import type { PeerExplanation } from "#schema/path";
import type { Cell } from "./cell.ts";
import { expectedPath } from "./expected-path.ts";
import type { PlannedCell } from "./schedule.ts";

export interface Observation {
  readonly firstPingMs: number | null;
  readonly directMs: number | null;
  /** The last look at each end's peer; null: it has none. */
  readonly from: PeerExplanation | null;
  readonly to: PeerExplanation | null;
}

export function judgeCell({ from, to }: PlannedCell, seen: Observation): Cell {
  const expected = expectedPath(from, to);
  const path = seen.from?.path ?? "none";
  const isDirect = path === "direct";
  // Either end may be the one that knows why.
  const reasons = [seen.from?.reason, seen.to?.reason].filter((reason) => reason != null);
  const reason = reasons.find(({ code }) => expected.codes.includes(code)) ?? reasons[0] ?? null;
  const problems = [
    ...(seen.firstPingMs === null ? ["no ping was answered"] : []),
    ...(path === seen.to?.path ? [] : [`one end says ${path}, the other ${seen.to?.path ?? "none"}`]),
    ...(path === expected.path
      ? []
      : [`${path}, should be ${expected.path} (${reason?.message ?? "no reason given"})`]),
    ...(path === "relayed" && expected.path === "relayed" && !expected.codes.includes(reason?.code ?? "direct")
      ? [`the reason is ${reason?.code ?? "missing"}, should be ${expected.codes.join(" or ")}`]
      : []),
  ];
  return {
    from,
    to,
    expected: expected.path,
    firstPingMs: seen.firstPingMs,
    path,
    directMs: isDirect ? seen.directMs : null,
    reason: isDirect ? null : reason,
    endpoint: isDirect ? (seen.from?.endpoint ?? null) : null,
    problem: problems.length === 0 ? null : problems.join("; "),
  };
}

/** Nothing more is to be waited for: it is as expected, and a relayed pair has said why. */
export function isSettled(planned: PlannedCell, seen: Observation): boolean {
  if (expectedPath(planned.from, planned.to).path === "direct") return seen.directMs !== null;
  return judgeCell(planned, seen).problem === null;
}
