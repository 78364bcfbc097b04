// What routing asks of the rest of the agent.
import type { AnnouncementId } from "#schema/desired-state";
import type { MeshId } from "#schema/ids";

export interface AnnouncementHealth {
  /** Its check passes, or it has none. */
  isAnnounced(meshId: MeshId, id: AnnouncementId): boolean;
}
