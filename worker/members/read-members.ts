import { MachineId, type MeshId } from "#schema/ids";
import type { Member } from "#schema/machine";
import { err, ok, type Result } from "#schema/result";
import { findMesh } from "../db/meshes.ts";
import type { Failure } from "../failure.ts";
import { type Page, type PageQuery, parsePageRequest, toPage } from "../page.ts";
import type { Services } from "../services.ts";

export async function listMembers(
  { db, objects }: Pick<Services, "db" | "objects">,
  meshId: MeshId,
  query: PageQuery,
): Promise<Result<Page<Member>, Failure<"cursor_invalid" | "mesh_not_found">>> {
  const page = parsePageRequest(query, MachineId);
  if (!page.ok) return page;
  // The row is looked at first, so that asking for what never was makes no object.
  if ((await findMesh(db, meshId)) === null) return err({ code: "mesh_not_found" });
  const { after, limit } = page.value;
  const members = await objects.mesh(meshId).listMembers({ after, limit: limit + 1 });
  if (!members.ok) return members;
  return ok(toPage(members.value, limit, { idOf: (member) => member.machineId, toItem: (member) => member }));
}

export async function readMember(
  { db, objects }: Pick<Services, "db" | "objects">,
  meshId: MeshId,
  machineId: MachineId,
): Promise<Result<Member, Failure<"mesh_not_found" | "member_not_found">>> {
  if ((await findMesh(db, meshId)) === null) return err({ code: "mesh_not_found" });
  return objects.mesh(meshId).getMember(machineId);
}
