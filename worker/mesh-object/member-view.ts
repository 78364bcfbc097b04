import { ONLINE_WITHIN_MS } from "#schema/limits";
import type { Member } from "#schema/machine";
import type { MemberStatus } from "./connections.ts";
import type { KeptReport } from "./links/telemetry.ts";
import type { MemberTelemetry } from "./rpc.ts";
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
    online: lastSeenAt !== null && nowMs - lastSeenAt <= ONLINE_WITHIN_MS,
    lastSeenAt: lastSeenAt === null ? null : new Date(lastSeenAt).toISOString(),
    appliedRevision: isPositionOf(mesh, report?.applied ?? null) ? (report?.applied.revision ?? null) : null,
    failures: [...(report?.failures ?? [])],
    joinedAt: new Date(member.joinedAt).toISOString(),
  };
}

/** What a member tells of this mesh and its members; what it tells of anything else is left out. */
export function toMemberTelemetry(
  { readMember }: Pick<MeshStorage, "readMember">,
  { settings }: MeshRecord,
  { peers, endpoints, nat, receivedAt }: KeptReport,
): MemberTelemetry {
  const isHere = ({ meshId }: { meshId: string }) => meshId === settings.id;
  return {
    receivedAt,
    nat,
    endpoints: endpoints.filter(isHere),
    peers: peers.filter(isHere).flatMap((peer) => {
      const member = readMember(peer.machineId);
      return member === null ? [] : [{ ...peer, name: member.name }];
    }),
  };
}

// What a member says of itself is believed as far as it can be true.
const isPositionOf = (mesh: MeshRecord, position: Position | null): boolean =>
  position !== null && position.epoch === mesh.epoch && position.revision <= mesh.revision;

/** Milliseconds since the epoch: of the connection, else as it was when the last one closed; null when never. */
export const toLastSeen = (member: MemberRecord, status: MemberStatus): number | null =>
  status.lastSeenAt ?? member.lastSeenAt;
