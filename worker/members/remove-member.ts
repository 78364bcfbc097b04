import type { MachineId, MeshId } from "#schema/ids";
import { err, ok, type Result } from "#schema/result";
import { findMachine } from "../db/machines.ts";
import { findMesh } from "../db/meshes.ts";
import type { Failure } from "../failure.ts";
import type { Cause } from "../outbox/cause.ts";
import type { Services } from "../services.ts";

export async function removeMember(
  { db, objects }: Pick<Services, "db" | "objects">,
  { meshId, machineId, cause }: { meshId: MeshId; machineId: MachineId; cause: Cause },
): Promise<Result<null, Failure<"mesh_not_found" | "member_not_found">>> {
  const [mesh, machine] = await Promise.all([findMesh(db, meshId), findMachine(db, machineId)]);
  if (mesh === null) return err({ code: "mesh_not_found" });
  if (machine === null) return err({ code: "member_not_found" });
  const left = await objects.machine(machineId).leaveMesh(meshId, cause);
  return left.ok && left.value ? ok(null) : err({ code: "member_not_found" });
}
