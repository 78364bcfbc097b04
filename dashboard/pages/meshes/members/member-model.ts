// How far a member has come with its mesh: in sync, behind, failing, or not heard of.
import { getMachine, listMachines } from "#schema/api/machines";
import { listMembers } from "#schema/api/members";
import { getMesh, listMeshes } from "#schema/api/meshes";
import type { Member } from "#schema/machine";
import type { Tone } from "../../../components/badge.tsx";

export interface MemberState {
  readonly tone: Tone;
  readonly label: string;
  /** Each in a sentence: what failed and why. */
  readonly failures: readonly string[];
}

/** Whose answers change when a machine comes into a mesh, or leaves it. */
export const MEMBERSHIP_MAKES_OLD = [listMembers.id, listMachines.id, getMachine.id, listMeshes.id, getMesh.id];

export function toMemberState(member: Member): MemberState {
  const failures = member.failures.map(({ step, message }) => `${step}: ${message}`);
  if (failures.length > 0) {
    return {
      tone: "bad",
      label: failures.length === 1 ? "1 step failed" : `${failures.length} steps failed`,
      failures,
    };
  }
  if (member.publicKey === null) return { tone: "warn", label: "waiting for its first contact", failures };
  if (!member.online) return { tone: "neutral", label: "offline", failures };
  if (member.appliedRevision === null) return { tone: "warn", label: "not connected to the mesh", failures };
  const behind = member.meshRevision - member.appliedRevision;
  if (behind > 0)
    return { tone: "info", label: behind === 1 ? "1 change behind" : `${behind} changes behind`, failures };
  return { tone: "good", label: "in sync", failures };
}

export function filterMembers(members: readonly Member[], q: string): Member[] {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  return members.filter(({ name, address, address6 }) =>
    words.every((word) => `${name} ${address} ${address6}`.includes(word)),
  );
}
