import { type AnnouncementState, MAX_CHECK_OUTCOMES } from "#schema/announcement-state";
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
