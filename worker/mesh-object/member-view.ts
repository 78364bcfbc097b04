import { ONLINE_WITHIN_MS } from "#schema/limits";
import type { Member } from "#schema/machine";
import type { MemberStatus } from "./connections.ts";
import type { MemberRecord, MeshRecord } from "./storage.ts";

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
    appliedRevision: report !== null && report.applied.epoch === mesh.epoch ? report.applied.revision : null,
    failures: [...(report?.failures ?? [])],
    joinedAt: new Date(member.joinedAt).toISOString(),
  };
}

/** Milliseconds since the epoch: of the connection, else as it was when the last one closed; null when never. */
export const toLastSeen = (member: MemberRecord, status: MemberStatus): number | null =>
  status.lastHeardAt ?? member.lastSeenAt;
