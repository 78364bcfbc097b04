import type { MeshId } from "#schema/ids";
import { err, ok, type Result } from "#schema/result";
import { createAuditEvent } from "../audit/new-event.ts";
import { insertAuditEventIf } from "../db/audit-events.ts";
import { runBatch } from "../db/database.ts";
import { deleteMembershipsOfMesh } from "../db/memberships.ts";
import { deleteMeshRow, findMesh, hasMeshRow } from "../db/meshes.ts";
import type { Failure } from "../failure.ts";
import type { Cause } from "../outbox/cause.ts";
import type { Services } from "../services.ts";

/** Safe to repeat after it was interrupted: the object answers a second close, and the row goes last. */
export async function deleteMesh(
  services: Services,
  { meshId, force, cause }: { meshId: MeshId; force: boolean; cause: Cause },
): Promise<Result<null, Failure<"mesh_not_found" | "mesh_not_empty">>> {
  const { db, objects } = services;
  const mesh = await findMesh(db, meshId);
  if (mesh === null) return err({ code: "mesh_not_found" });
  // The object is asked, not the row: its members are the truth, the row's may lag.
  const members = await objects.mesh(meshId).listMembers({ after: null, limit: 1 });
  if (!force && members.ok && members.value.length > 0) return err({ code: "mesh_not_empty" });
  const { memberCount } = await objects.mesh(meshId).close();
  const event = createAuditEvent(services, cause, {
    action: "mesh.deleted",
    subjectId: meshId,
    meshId,
    details: { name: mesh.name, cidr: mesh.cidr, memberCount },
  });
  await runBatch(db, [
    insertAuditEventIf(db, event, hasMeshRow(meshId)),
    deleteMembershipsOfMesh(db, meshId),
    deleteMeshRow(db, meshId),
  ]);
  return ok(null);
}
