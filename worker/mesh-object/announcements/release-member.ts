import type { MachineId } from "#schema/ids";
import { isRowChanged } from "./announcement.ts";
import type { AnnouncementStorage } from "./announcement-storage.ts";

/**
 * Takes a member that leaves out of every route and VIP that it announces; they stay, also without machines. True when others see it. Call it in
 * the transaction that removes the member, with the revision of that.
 */
export function releaseMember(
  announcements: Pick<AnnouncementStorage, "listOf" | "replace" | "forgetDuties">,
  machineId: MachineId,
  revision: number,
): boolean {
  let isSeen = false;
  for (const before of announcements.listOf(machineId)) {
    const after = { ...before, machineIds: before.machineIds.filter((id) => id !== machineId) };
    const isChanged = isRowChanged(before, after);
    announcements.replace(before, isChanged ? { ...after, revision } : after);
    isSeen ||= isChanged;
  }
  announcements.forgetDuties(machineId);
  return isSeen;
}
