import type { MachineId } from "#schema/ids";
import { type AnnouncementRecord, isRowChanged } from "./announcement.ts";
import type { AnnouncementStorage } from "./announcement-storage.ts";

export interface Released {
  readonly ids: readonly AnnouncementRecord["id"][];
  /** True when others see it. */
  readonly isSeen: boolean;
}

/**
 * Takes a member that leaves out of every route and VIP that it announces; they stay, also without machines. Call it in the transaction that
 * removes the member, with the revision of that.
 */
export function releaseMember(
  announcements: Pick<AnnouncementStorage, "listOf" | "replace" | "forgetDuties">,
  machineId: MachineId,
  revision: number,
): Released {
  let isSeen = false;
  const released = announcements.listOf(machineId);
  for (const before of released) {
    const after = { ...before, machineIds: before.machineIds.filter((id) => id !== machineId) };
    const isChanged = isRowChanged(before, after);
    announcements.replace(before, isChanged ? { ...after, revision } : after);
    isSeen ||= isChanged;
  }
  announcements.forgetDuties(machineId);
  return { ids: released.map(({ id }) => id), isSeen };
}
