import type { MeshDetails } from "#schema/api/meshes";
import { MeshId } from "#schema/ids";
import type { Mesh } from "#schema/mesh";
import { err, ok, type Result } from "#schema/result";
import { findMesh, listMeshRows, toMesh } from "../db/meshes.ts";
import type { Failure } from "../failure.ts";
import { type Page, type PageQuery, parsePageRequest, toPage } from "../page.ts";
import type { Services } from "../services.ts";
import { adviseRouting } from "./advise.ts";

export async function listMeshes(
  { db }: Pick<Services, "db">,
  query: PageQuery,
): Promise<Result<Page<Mesh>, Failure<"cursor_invalid">>> {
  const page = parsePageRequest(query, MeshId);
  if (!page.ok) return page;
  const rows = await listMeshRows(db, page.value);
  return ok(toPage(rows, page.value.limit, { idOf: (row) => row.id, toItem: toMesh }));
}

export async function readMesh(
  { db }: Pick<Services, "db">,
  meshId: MeshId,
): Promise<Result<MeshDetails, Failure<"mesh_not_found">>> {
  const row = await findMesh(db, meshId);
  if (row === null) return err({ code: "mesh_not_found" });
  return ok({ ...toMesh(row), warnings: adviseRouting(row) });
}
