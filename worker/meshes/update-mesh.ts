import type { UpdateMesh } from "#schema/api/meshes";
import type { MeshId } from "#schema/ids";
import type { Mesh } from "#schema/mesh";
import { err, type Result } from "#schema/result";
import { createAuditEvent } from "../audit/new-event.ts";
import { insertAuditEvent } from "../db/audit-events.ts";
import { runBatch } from "../db/database.ts";
import { parseUniqueViolation } from "../db/errors.ts";
import { clearDefaultMesh, findMesh, type MeshRecord, updateMeshColumns } from "../db/meshes.ts";
import { type Failure, fieldFailure } from "../failure.ts";
import type { Cause } from "../outbox/cause.ts";
import type { Services } from "../services.ts";
import { readMesh } from "./read-meshes.ts";

export async function updateMesh(
  services: Services,
  { meshId, change, cause }: { meshId: MeshId; change: UpdateMesh; cause: Cause },
): Promise<Result<Mesh, Failure<"mesh_not_found" | "name_taken">>> {
  const mesh = await findMesh(services.db, meshId);
  if (mesh === null) return err({ code: "mesh_not_found" });
  const isStored = await storeChange(services, { mesh, change, cause });
  if (!isStored) return err(fieldFailure("name_taken", "name", `there is a mesh named ${change.name} already`));
  const { name, fallback } = change;
  // Also when the row had them: the call before may have been interrupted between the row and the object.
  if (name !== undefined || fallback !== undefined) {
    await services.objects.mesh(meshId).changeSettings({
      ...(name === undefined ? {} : { name }),
      ...(fallback === undefined ? {} : { fallback }),
    });
  }
  return readMesh(services, meshId);
}

/** False when the name is taken. */
async function storeChange(
  services: Services,
  { mesh, change, cause }: { mesh: MeshRecord; change: UpdateMesh; cause: Cause },
): Promise<boolean> {
  const changed = {
    ...(change.name !== undefined && change.name !== mesh.name ? { name: change.name } : {}),
    ...(change.fallback !== undefined && change.fallback !== mesh.fallback ? { fallback: change.fallback } : {}),
    ...(change.isDefault !== undefined && change.isDefault !== mesh.isDefault ? { isDefault: change.isDefault } : {}),
  };
  if (Object.keys(changed).length === 0) return true;
  const { db } = services;
  const event = createAuditEvent(services, cause, {
    action: "mesh.updated",
    subjectId: mesh.id,
    meshId: mesh.id,
    details: changed,
  });
  try {
    await runBatch(db, [
      ...(changed.isDefault === true ? [clearDefaultMesh(db)] : []),
      updateMeshColumns(db, mesh.id, changed),
      insertAuditEvent(db, event),
    ]);
    return true;
  } catch (error) {
    if (parseUniqueViolation(error) === "meshes.name") return false;
    throw error;
  }
}
