// What is known of one duty, and whether it is announced. Pure: results and time in, state out.
//
//            healthyThreshold successes in a row
//   pending ───────────────────────────────────► healthy        announced: healthy, unchecked
//      │                                          │   ▲
//      │ unhealthyThreshold failures in a row     ▼   │
//      └──────────────────────────────────────► unhealthy       unchecked: there is no check
import type { HealthCheck } from "#schema/health-check";

export type DutyStatus = "unchecked" | "pending" | "healthy" | "unhealthy";

export interface CheckResult {
  /** When it began. */
  readonly atMs: number;
  readonly durationMs: number;
  readonly isSuccess: boolean;
  /** What was found, for people. */
  readonly text: string;
}

export interface DutyState {
  readonly status: DutyStatus;
  /** In a row, one of them 0. */
  readonly successes: number;
  readonly failures: number;
  /** Of the status. */
  readonly sinceMs: number;
  /** Newest first. */
  readonly results: readonly CheckResult[];
  /** Why it is not announced; null: it is. */
  readonly reason: string | null;
}

const RESULTS_KEPT = 5;

type Thresholds = Pick<HealthCheck, "healthyThreshold" | "unhealthyThreshold">;

export const isAnnounced = ({ status }: DutyState): boolean => status === "healthy" || status === "unchecked";

/**
 * Of a duty that is new, or whose check is another one. What is announced stays so until the check has failed often enough: neither a
 * restart of the agent nor a corrected check is a reason to take a service away.
 */
export function beginDuty({ check, wasAnnounced, nowMs }: BeginInputs): DutyState {
  const begun = { successes: 0, failures: 0, sinceMs: nowMs, results: [] };
  if (check === null) return { ...begun, status: "unchecked", reason: null };
  if (wasAnnounced) return { ...begun, status: "healthy", reason: null };
  return { ...begun, status: "pending", reason: "it was not checked yet" };
}

export interface BeginInputs {
  readonly check: HealthCheck | null;
  readonly wasAnnounced: boolean;
  readonly nowMs: number;
}

/** Of a check that this machine does not run. */
export function refuseDuty(reason: string, nowMs: number): DutyState {
  return { status: "unhealthy", successes: 0, failures: 0, sinceMs: nowMs, results: [], reason };
}

export function takeResult(state: DutyState, result: CheckResult, thresholds: Thresholds): DutyState {
  const successes = result.isSuccess ? state.successes + 1 : 0;
  const failures = result.isSuccess ? 0 : state.failures + 1;
  const status = toStatus(state.status, { successes, failures }, thresholds);
  return {
    status,
    successes,
    failures,
    sinceMs: status === state.status ? state.sinceMs : result.atMs + result.durationMs,
    results: [result, ...state.results].slice(0, RESULTS_KEPT),
    reason: toReason(status, { successes, failures, text: result.text }, thresholds),
  };
}

type Counts = Pick<DutyState, "successes" | "failures">;

function toStatus(status: DutyStatus, { successes, failures }: Counts, thresholds: Thresholds): DutyStatus {
  if (successes >= thresholds.healthyThreshold) return "healthy";
  return failures >= thresholds.unhealthyThreshold ? "unhealthy" : status;
}

function toReason(
  status: DutyStatus,
  { successes, failures, text }: Counts & { text: string },
  { healthyThreshold }: Thresholds,
): string | null {
  if (status === "healthy") return null;
  if (failures > 0) return `failed ${failures} ${failures === 1 ? "time" : "times"} in a row: ${text}`;
  return `passed ${successes} of ${healthyThreshold} times`;
}
