// From what the control plane says of a mesh to what this machine itself holds and forwards for its duties there. Pure.
import type { AnnouncementId, DesiredMesh } from "#schema/desired-state";
import type { Prefix } from "#schema/prefix";
import type { AnnouncedNetwork } from "./desired-device.ts";

type Announcing = Pick<DesiredMesh, "announcements" | "duties">;

/** The addresses of VIPs that this machine announces right now: `10.1.0.99/32`, `fd00:1::63/128`. */
export function toHeldAddresses(desired: Announcing, isAnnounced: (id: AnnouncementId) => boolean): Prefix[] {
  return desired.duties.flatMap(({ id, isVip }) => (isVip && isAnnounced(id) ? prefixesOf(desired, id) : []));
}

/** The networks behind this machine, whether announced right now or not: connections may go on while others take over. */
export function toAnnouncedNetworks(desired: Announcing): AnnouncedNetwork[] {
  return desired.duties.flatMap(({ id, isVip, isMasquerading }) =>
    isVip ? [] : prefixesOf(desired, id).map((prefix) => ({ prefix, isMasquerading })),
  );
}

const prefixesOf = ({ announcements }: Announcing, id: AnnouncementId): readonly Prefix[] =>
  announcements?.find((announcement) => announcement.id === id)?.prefixes ?? [];
