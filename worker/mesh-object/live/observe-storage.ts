// What is written is what changed: hints are taken where the mesh's rows are, so that no use-case has to think of them. A change that is
// undone was hinted at as well, which costs its readers one question too many and tells them nothing wrong.
import { type MachineId, VipId } from "#schema/ids";
import type { LiveResource } from "#schema/live/messages";
import type { AnnouncementStorage } from "../announcements/announcement-storage.ts";
import type { CheckStates } from "../announcements/check-states.ts";
import type { LinkEvents } from "../links/link-events.ts";
import type { MeshStorage } from "../storage.ts";

export type NoteChange = (resource: LiveResource, machineId?: MachineId | null) => void;

export function observeMesh(storage: MeshStorage, note: NoteChange): MeshStorage {
  return {
    ...storage,
    writeMesh(mesh) {
      // Most writes count the revision on and leave the settings the object that they were.
      if (storage.readMesh()?.settings !== mesh.settings) note("mesh");
      storage.writeMesh(mesh);
    },
    insertMember(member) {
      storage.insertMember(member);
      note("members", member.machineId);
    },
    writeMember(member) {
      storage.writeMember(member);
      note("members", member.machineId);
      note("network", member.machineId);
    },
    deleteMember(machineId) {
      storage.deleteMember(machineId);
      note("members", machineId);
    },
    writeLastSeen(machineId, atMs) {
      storage.writeLastSeen(machineId, atMs);
      note("presence", machineId);
    },
  };
}

export const observeAnnouncements = (storage: AnnouncementStorage, note: NoteChange): AnnouncementStorage => ({
  ...storage,
  replace(before, after) {
    storage.replace(before, after);
    note((after ?? before)?.kind === "vip" ? "vips" : "routes");
  },
});

export const observeChecks = (checkStates: CheckStates, note: NoteChange): CheckStates => ({
  ...checkStates,
  take(machineId, report) {
    const changed = checkStates.take(machineId, report);
    for (const id of changed) note(VipId.safeParse(id).success ? "vips" : "routes", machineId);
    return changed;
  },
});

export const observeLinkEvents = (linkEvents: LinkEvents, note: NoteChange): LinkEvents => ({
  ...linkEvents,
  add(machineId, reports, nowMs) {
    linkEvents.add(machineId, reports, nowMs);
    if (reports.length > 0) note("links", machineId);
  },
});
