import { type AnnouncementState, type CheckState, MAX_CHECK_OUTCOMES } from "#schema/announcement-state";
import { type DutyState, isAnnounced } from "../../health/duty-state.ts";
import type { DutyHealth } from "../../health/health.ts";

/** @param toWallMs from the clock of the checks */
export function toAnnouncementState(
  { id, ...state }: DutyState & Pick<DutyHealth, "id">,
  toWallMs: (atMs: number) => number,
): AnnouncementState {
  const toTime = (atMs: number) => new Date(toWallMs(atMs)).toISOString();
  return {
    id,
    isAnnounced: isAnnounced(state),
    status: state.status,
    since: toTime(state.sinceMs),
    reason: state.reason,
    results: state.results
      .slice(0, MAX_CHECK_OUTCOMES)
      .map(({ atMs, durationMs, isSuccess, text }) => ({ at: toTime(atMs), durationMs, isSuccess, text })),
  };
}

/** None where there is no check. */
export function toCheckState(
  { id, status, sinceMs, results: [newest], reason }: DutyState & Pick<DutyHealth, "id">,
  toWallMs: (atMs: number) => number,
): CheckState[] {
  if (status === "unchecked") return [];
  // A check that is not run at all has a reason and no result.
  const text = newest?.text ?? (status === "unhealthy" ? reason : null);
  return [{ id, status, since: new Date(toWallMs(sinceMs)).toISOString(), text }];
}
