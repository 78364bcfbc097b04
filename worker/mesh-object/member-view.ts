import type { MachineId } from "#schema/ids";
import { ONLINE_WITHIN_MS } from "#schema/limits";
import type { Member } from "#schema/machine";
import type { AnnouncementRecord } from "./announcements/announcement.ts";
import type { MemberStatus } from "./connections.ts";
import type { KeptReport } from "./links/telemetry.ts";
import type { MemberRib, MemberTelemetry } from "./rpc.ts";
import type { MemberRecord, MeshRecord, MeshStorage } from "./storage.ts";
import type { Position } from "./sync/sync.ts";

/** A member as the API shows it. */
export function toMember(mesh: MeshRecord, member: MemberRecord, status: MemberStatus, nowMs: number): Member {
  const lastSeenAt = toLastSeen(member, status);
  const { report } = status;
  return {
    machineId: member.machineId,
    name: member.name,
    address: member.address,
    address6: member.address6,
    publicKey: member.publicKey,
    keySince: member.keySince === null ? null : new Date(member.keySince).toISOString(),
    online: lastSeenAt !== null && nowMs - lastSeenAt <= ONLINE_WITHIN_MS,
    lastSeenAt: lastSeenAt === null ? null : new Date(lastSeenAt).toISOString(),
    appliedRevision: isPositionOf(mesh, report?.applied ?? null) ? (report?.applied.revision ?? null) : null,
    // What nobody is told of, such as a member that has yet to say hello, leaves nobody behind.
    meshRevision: mesh.visibleRevision,
    nat: member.nat,
    failures: [...(report?.failures ?? [])],
    joinedAt: new Date(member.joinedAt).toISOString(),
  };
}

/** More than a machine has. */
const MAX_TOLD_ENDPOINTS = 64;

/** What a member tells of this mesh and its members, of each peer once; what it tells of anything else is left out. */
export function toMemberTelemetry(
  {
    readMember,
    listAnnouncements,
  }: Pick<MeshStorage, "readMember"> & {
    /** Those that the member itself has to announce. */
    readonly listAnnouncements: () => readonly AnnouncementRecord[];
  },
  { settings }: MeshRecord,
  { peers, endpoints, nat, announcements, receivedAt }: KeptReport,
): MemberTelemetry {
  const told = new Map(announcements.map((state) => [state.id, state]));
  const isHere = ({ meshId }: { meshId: string }) => meshId === settings.id;
  const ofPeers = new Map(peers.filter(isHere).map((peer) => [peer.machineId, peer]));
  return {
    receivedAt,
    nat,
    endpoints: endpoints.filter(isHere).slice(0, MAX_TOLD_ENDPOINTS),
    announcements: listAnnouncements().flatMap(({ id, kind, name, prefixes }) => {
      const state = told.get(id);
      return state === undefined ? [] : [{ ...state, meshId: settings.id, kind, name, prefixes: [...prefixes] }];
    }),
    peers: [...ofPeers.values()].flatMap((peer) => {
      const member = readMember(peer.machineId);
      return member === null ? [] : [{ ...peer, name: member.name }];
    }),
  };
}

/** Machines are called by the names that the mesh knows; who is no member is left out. */
export function toMemberRib({ readMember }: Pick<MeshStorage, "readMember">, { routes, ...rib }: MemberRib): MemberRib {
  const names = new Map<MachineId, string | null>();
  const nameOf = (machineId: MachineId): string | null => {
    const name = names.has(machineId) ? (names.get(machineId) ?? null) : (readMember(machineId)?.name ?? null);
    names.set(machineId, name);
    return name;
  };
  const toNamed = (machineId: MachineId | null) => {
    const name = machineId === null ? null : nameOf(machineId);
    return { machineId: name === null ? null : machineId, name };
  };
  return {
    ...rib,
    routes: routes.map(({ origin, source, ...route }) => {
      const { machineId, name } = toNamed(origin?.machineId ?? null);
      return {
        ...route,
        origin: machineId === null || name === null ? null : { machineId, name },
        source: { ...source, ...toNamed(source.machineId) },
      };
    }),
  };
}

// What a member says of itself is believed as far as it can be true.
export const isPositionOf = (mesh: MeshRecord, position: Position | null): boolean =>
  position !== null && position.epoch === mesh.epoch && position.revision <= mesh.revision;

/** Milliseconds since the epoch: of the connection, else as it was when the last one closed; null when never. */
const toLastSeen = (member: MemberRecord, status: MemberStatus): number | null =>
  status.lastSeenAt ?? member.lastSeenAt;
