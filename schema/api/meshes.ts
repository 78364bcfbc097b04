import { z } from "zod";
import { MeshId } from "../ids.ts";
import { Mesh, MeshCidr, Name, PrivateAsn, Warning } from "../mesh.ts";
import { defineOperation, PageQuery, pageOf } from "./operation.ts";

const tag = "meshes";
const params = z.object({ meshId: MeshId });

export const CreateMesh = z.object({
  name: Name,
  cidr: MeshCidr,
  isDefault: z.boolean().default(false),
  /** Allocated when left out. */
  asn: PrivateAsn.optional(),
});
export type CreateMesh = z.infer<typeof CreateMesh>;

export const CreatedMesh = Mesh.extend({ warnings: z.array(Warning) });
export type CreatedMesh = z.infer<typeof CreatedMesh>;

export const UpdateMesh = z.object({ name: Name.optional(), isDefault: z.boolean().optional() });
export type UpdateMesh = z.infer<typeof UpdateMesh>;

export const listMeshes = defineOperation({
  id: "listMeshes",
  tag,
  method: "get",
  path: "/meshes",
  summary: "List meshes",
  role: "viewer",
  query: PageQuery,
  status: 200,
  reply: pageOf(Mesh),
  errors: ["cursor_invalid"],
});
export const createMesh = defineOperation({
  id: "createMesh",
  tag,
  method: "post",
  path: "/meshes",
  summary: "Create a mesh",
  role: "admin",
  body: CreateMesh,
  status: 201,
  reply: CreatedMesh,
  isIdempotencyKeyAccepted: true,
  errors: ["name_taken", "asn_taken"],
});
export const getMesh = defineOperation({
  id: "getMesh",
  tag,
  method: "get",
  path: "/meshes/{meshId}",
  summary: "Read a mesh",
  role: "viewer",
  params,
  status: 200,
  reply: Mesh,
  errors: ["mesh_not_found"],
});
export const updateMesh = defineOperation({
  id: "updateMesh",
  tag,
  method: "patch",
  path: "/meshes/{meshId}",
  summary: "Rename a mesh, or make it the default",
  role: "admin",
  params,
  body: UpdateMesh,
  status: 200,
  reply: Mesh,
  errors: ["mesh_not_found", "name_taken"],
});
export const deleteMesh = defineOperation({
  id: "deleteMesh",
  tag,
  method: "delete",
  path: "/meshes/{meshId}",
  summary: "Delete a mesh; with members only when `force` is true: they all leave it",
  role: "admin",
  params,
  query: z.object({ force: z.stringbool().default(false) }),
  status: 204,
  errors: ["mesh_not_found", "mesh_not_empty"],
});
