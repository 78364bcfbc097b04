import type { MachineId } from "#schema/ids";
import { NO_POLICIES, Policies } from "#schema/policy";
import type { MeshPolicies } from "../../db/policy-sets.ts";
import type { AnnouncementStorage } from "../announcements/announcement-storage.ts";
import { readOpenMesh } from "../members.ts";
import { toNextRevision } from "../revisions.ts";
import type { MeshStorage } from "../storage.ts";
import { type PolicyStorage, renderPolicies } from "./policy-storage.ts";

export interface PolicyParts {
  readonly storage: MeshStorage;
  readonly announcements: Pick<AnnouncementStorage, "writeDutyRevision">;
  readonly policies: PolicyStorage;
}

/**
 * Takes over what D1 says, as one change of the mesh: its own policies go to every member, a member's to that one, as its duties do. What equals
 * the stored writes nothing. Call it in a transaction. True when somebody has to be told.
 */
export function applyPolicies({ storage, announcements, policies }: PolicyParts, wanted: MeshPolicies): boolean {
  const mesh = readOpenMesh(storage);
  if (mesh === null) return false;
  const ofMesh = Policies.parse(wanted.mesh);
  const isMeshChanged = renderPolicies(ofMesh) !== renderPolicies(mesh.settings.policies);
  const changed = listChanged(storage, policies.list(), wanted.machines);
  if (!isMeshChanged && changed.size === 0) return false;
  const next = toNextRevision(mesh, { isVisible: true });
  for (const [machineId, ofMember] of changed) {
    policies.write(machineId, ofMember);
    announcements.writeDutyRevision(machineId, next.revision);
  }
  const settings = { ...mesh.settings, policies: ofMesh };
  storage.writeMesh(isMeshChanged ? { ...next, settings, settingsRevision: next.revision } : next);
  return true;
}

function listChanged(
  storage: Pick<MeshStorage, "readMember">,
  before: ReadonlyMap<MachineId, Policies>,
  wanted: ReadonlyMap<MachineId, Policies>,
): Map<MachineId, Policies> {
  const changed = new Map<MachineId, Policies>();
  for (const machineId of new Set([...before.keys(), ...wanted.keys()])) {
    const after = Policies.parse(wanted.get(machineId) ?? NO_POLICIES);
    const isSame = renderPolicies(after) === renderPolicies(before.get(machineId) ?? NO_POLICIES);
    if (!isSame && storage.readMember(machineId) !== null) changed.set(machineId, after);
  }
  return changed;
}
