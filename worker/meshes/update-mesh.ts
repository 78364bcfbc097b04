import type { MeshDetails, UpdateMesh } from "#schema/api/meshes";
import type { MeshId } from "#schema/ids";
import { err, ok, type Result } from "#schema/result";
import { createAuditEvent } from "../audit/new-event.ts";
import { insertAuditEvent } from "../db/audit-events.ts";
import { runBatch } from "../db/database.ts";
import { isReferenceViolation, parseUniqueViolation } from "../db/errors.ts";
import { clearDefaultMesh, findMesh, type MeshRecord, updateMeshColumns } from "../db/meshes.ts";
import { type MeshRouting, projectMeshRouting } from "../db/projections.ts";
import { type Failure, fieldFailure } from "../failure.ts";
import type { Cause } from "../outbox/cause.ts";
import { changePolicies } from "../policy-sets/tell-meshes.ts";
import { findMissingSet, isUsingSets, pickChangedSets } from "../policy-sets/used-sets.ts";
import type { Services } from "../services.ts";
import { hintLists } from "./hint-lists.ts";
import { readMesh } from "./read-meshes.ts";

type UpdateMeshFailure = Failure<"mesh_not_found" | "name_taken" | "gateway_required" | "policy_set_not_found">;

export async function updateMesh(
  services: Services,
  { meshId, change, cause }: { meshId: MeshId; change: UpdateMesh; cause: Cause },
): Promise<Result<MeshDetails, UpdateMeshFailure>> {
  const mesh = await findMesh(services.db, meshId);
  if (mesh === null) return err({ code: "mesh_not_found" });
  const missing = await findMissingSet(services.db, change);
  if (missing !== null) return err(missing);
  // The object decides about route reflector mode, and tells D1: so it is asked first.
  const { routeReflectorMode } = change;
  const mode = routeReflectorMode === undefined ? null : await setReflectorMode(services, meshId, routeReflectorMode);
  if (mode !== null && !mode.ok) return mode;
  // Also when the row had them, as below.
  const concerned = isUsingSets(change) ? [meshId] : [];
  const stored = await changePolicies(services, {
    listMeshes: async () => concerned,
    write: () => storeChange(services, { mesh, change, mode: mode?.value ?? null, cause }),
  });
  const refusal = stored.ok ? stored.value : null;
  if (refusal !== null) {
    if (mode !== null) await setReflectorMode(services, meshId, mesh.routeReflectorMode);
    return err(refusal);
  }
  const { name, fallback, keyRotationDays } = change;
  // Also when the row had them: the call before may have been interrupted between the row and the object.
  if (name !== undefined || fallback !== undefined || keyRotationDays !== undefined) {
    await services.objects.mesh(meshId).changeSettings({
      ...(name === undefined ? {} : { name }),
      ...(fallback === undefined ? {} : { fallback }),
      ...(keyRotationDays === undefined ? {} : { keyRotationDays }),
    });
  }
  await hintLists(services, [meshId]);
  return readMesh(services, meshId);
}

async function setReflectorMode(
  { objects }: Services,
  meshId: MeshId,
  routeReflectorMode: boolean,
): Promise<Result<MeshRouting, Failure<"mesh_not_found" | "gateway_required">>> {
  const changed = await objects.mesh(meshId).changeSettings({ routeReflectorMode });
  if (changed.ok) return ok(changed.value);
  if (changed.error.code === "mesh_not_found") return err({ code: "mesh_not_found" });
  const message = "the mesh has no gateway: make one of its members a gateway first (two or more are advised)";
  return err(fieldFailure("gateway_required", "routeReflectorMode", message));
}

/** What keeps it from being stored. */
async function storeChange(
  services: Services,
  request: { mesh: MeshRecord; change: UpdateMesh; mode: MeshRouting | null; cause: Cause },
): Promise<Failure<"name_taken" | "policy_set_not_found"> | null> {
  const { mesh, change, mode, cause } = request;
  const changed = {
    ...(change.name !== undefined && change.name !== mesh.name ? { name: change.name } : {}),
    ...(change.fallback !== undefined && change.fallback !== mesh.fallback ? { fallback: change.fallback } : {}),
    ...(change.keyRotationDays !== undefined && change.keyRotationDays !== mesh.keyRotationDays
      ? { keyRotationDays: change.keyRotationDays }
      : {}),
    ...(change.isDefault !== undefined && change.isDefault !== mesh.isDefault ? { isDefault: change.isDefault } : {}),
    ...pickChangedSets(change, mesh),
  };
  const isModeChanged = mode !== null && mode.routeReflectorMode !== mesh.routeReflectorMode;
  const details = { ...changed, ...(isModeChanged ? { routeReflectorMode: mode.routeReflectorMode } : {}) };
  if (Object.keys(details).length === 0) return null;
  const { db } = services;
  const event = createAuditEvent(services, cause, {
    action: "mesh.updated",
    subjectId: mesh.id,
    meshId: mesh.id,
    details,
  });
  try {
    await runBatch(db, [
      ...(changed.isDefault === true ? [clearDefaultMesh(db)] : []),
      ...(Object.keys(changed).length > 0 ? [updateMeshColumns(db, mesh.id, changed)] : []),
      ...(isModeChanged ? [projectMeshRouting(db, mode)] : []),
      insertAuditEvent(db, event),
    ]);
    return null;
  } catch (error) {
    if (parseUniqueViolation(error) === "meshes.name") {
      return fieldFailure("name_taken", "name", `there is a mesh named ${change.name} already`);
    }
    // It was there a moment ago.
    if (isReferenceViolation(error)) return { code: "policy_set_not_found" };
    throw error;
  }
}
