// Who of a mesh peers with whom. Pure, and both ends of a pair come to the same answer, as they see the same mesh.
//
// A session exists where there is something to tell: one end announces, or is a gateway. In route reflector mode one end is a gateway. A session
// is watched by BFD where there is another to fail over to: one end is one of several gateways, or one of several machines that announce the same.
import type { AnnouncementRow, DesiredMesh } from "#schema/desired-state";
import type { MachineId } from "#schema/ids";

export interface Peering {
  /** False: no member has anything to tell, and nobody needs a BIRD. */
  readonly isNeeded: boolean;
  isGateway(id: MachineId): boolean;
  /** @param options.isReflected in route reflector mode */
  hasSession(one: MachineId, other: MachineId, options: { readonly isReflected: boolean }): boolean;
  isWatched(one: MachineId, other: MachineId): boolean;
}

export interface PeeringInputs extends Pick<DesiredMesh, "members"> {
  readonly announcements: readonly AnnouncementRow[] | null;
}

export function toPeering({ members, announcements }: PeeringInputs): Peering {
  const present = new Set(members.map(({ machineId }) => machineId));
  const gateways = new Set(members.filter(({ isGateway }) => isGateway).map(({ machineId }) => machineId));
  const announcers = new Set<MachineId>();
  const replaceable = new Set<MachineId>(gateways.size > 1 ? gateways : []);
  for (const { machineIds } of announcements ?? []) {
    const there = machineIds.filter((id) => present.has(id));
    for (const id of there) {
      announcers.add(id);
      if (there.length > 1) replaceable.add(id);
    }
  }
  const isEither = (set: ReadonlySet<MachineId>, one: MachineId, other: MachineId) => set.has(one) || set.has(other);
  return {
    isNeeded: gateways.size > 0 || announcers.size > 0,
    isGateway: (id) => gateways.has(id),
    hasSession: (one, other, { isReflected }) =>
      isEither(gateways, one, other) || (!isReflected && isEither(announcers, one, other)),
    isWatched: (one, other) => isEither(replaceable, one, other),
  };
}
