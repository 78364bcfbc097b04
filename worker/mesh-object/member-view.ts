import { ONLINE_WITHIN_MS } from "#schema/limits";
import type { Member } from "#schema/machine";
import type { MemberStatus } from "./connections.ts";
import type { MemberRecord, MeshRecord } from "./storage.ts";
import type { Position } from "./sync.ts";

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

// What a member says of itself is believed as far as it can be true.
const isPositionOf = (mesh: MeshRecord, position: Position | null): boolean =>
  position !== null && position.epoch === mesh.epoch && position.revision <= mesh.revision;

/** Milliseconds since the epoch: of the connection, else as it was when the last one closed; null when never. */
export const toLastSeen = (member: MemberRecord, status: MemberStatus): number | null =>
  status.lastSeenAt ?? member.lastSeenAt;
