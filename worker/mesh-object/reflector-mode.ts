// Route reflector mode needs a gateway: it is refused without one, and ends with the last one. Ending it does no harm: a member has sessions with the
// others again as soon as it has none with a gateway. A refusal would stand between a person and taking away a gateway that must go; and it
// can't be had for certain, because a machine is a gateway in all its meshes or in none.
import type { MeshRouting } from "../db/projections.ts";
import type { Projection } from "../outbox/entries.ts";
import { toAuditEntry } from "./audit-entry.ts";
import type { MeshRecord, MeshStorage } from "./storage.ts";

/**
 * After a gateway came or went. Call it in the transaction of that, after the member was written.
 * @param mesh as it would be written
 * @returns the mesh to write, and what goes into the outbox
 */
export function settleGateways(
  parts: { readonly storage: MeshStorage; readonly randomBytes: (count: number) => Uint8Array },
  mesh: MeshRecord,
  nowMs: number,
): { readonly mesh: MeshRecord; readonly projections: readonly Projection[] } {
  const gatewayCount = parts.storage.countGateways();
  if (!mesh.settings.routeReflectorMode || gatewayCount > 0) {
    return { mesh, projections: [{ type: "mesh_routing", ...toMeshRouting(mesh, gatewayCount) }] };
  }
  const ended: MeshRecord = {
    ...mesh,
    settings: { ...mesh.settings, routeReflectorMode: false },
    visibleRevision: mesh.revision,
    settingsRevision: mesh.revision,
  };
  const event = toAuditEntry(parts, ended, {
    action: "mesh.updated",
    subjectId: ended.settings.id,
    details: { routeReflectorMode: false, reason: "the mesh has no gateway any more" },
    cause: { actor: { kind: "system", id: null, name: "control plane" }, requestId: "none" },
    nowMs,
  });
  return { mesh: ended, projections: [{ type: "mesh_routing", ...toMeshRouting(ended, gatewayCount) }, event] };
}

export const toMeshRouting = ({ settings, revision }: MeshRecord, gatewayCount: number): MeshRouting => ({
  meshId: settings.id,
  routeReflectorMode: settings.routeReflectorMode,
  gatewayCount,
  revision,
});
