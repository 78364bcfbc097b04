import { z } from "zod";
import { Ipv4 } from "../address.ts";
import { MachineId, MeshId } from "../ids.ts";
import { Member } from "../machine.ts";
import { defineOperation, PageQuery, pageOf } from "./operation.ts";

const tag = "members";
const params = z.object({ meshId: MeshId });
const memberParams = z.object({ meshId: MeshId, machineId: MachineId });

export const AddMember = z
  .object({
    machineId: MachineId,
    address: Ipv4.optional().describe("A free address of the mesh's network; the lowest free one when left out."),
  })
  .meta({ id: "AddMember", examples: [{ machineId: "mch_01kaqx4d8e6v2m9t7w3hncz5rb" }] });
export type AddMember = z.infer<typeof AddMember>;

export const listMembers = defineOperation({
  id: "listMembers",
  tag,
  method: "get",
  path: "/meshes/{meshId}/members",
  summary: "List the members of a mesh",
  role: "viewer",
  params,
  query: PageQuery,
  status: 200,
  reply: pageOf(Member, "MemberPage"),
  errors: ["mesh_not_found", "cursor_invalid"],
});
export const addMember = defineOperation({
  id: "addMember",
  tag,
  method: "post",
  path: "/meshes/{meshId}/members",
  summary: "Put a machine into a mesh",
  role: "admin",
  params,
  body: AddMember,
  status: 201,
  reply: Member,
  isIdempotencyKeyAccepted: true,
  errors: [
    "mesh_not_found",
    "machine_not_found",
    "already_member",
    "cidr_overlap",
    "address_taken",
    "address_outside_mesh",
    "address_pool_exhausted",
  ],
});
export const getMember = defineOperation({
  id: "getMember",
  tag,
  method: "get",
  path: "/meshes/{meshId}/members/{machineId}",
  summary: "Read a member",
  role: "viewer",
  params: memberParams,
  status: 200,
  reply: Member,
  errors: ["mesh_not_found", "member_not_found"],
});
export const removeMember = defineOperation({
  id: "removeMember",
  tag,
  method: "delete",
  path: "/meshes/{meshId}/members/{machineId}",
  summary: "Take a machine out of a mesh",
  description: "At once. Its address stays unused for 24 hours, unless the mesh has no other left.",
  role: "admin",
  params: memberParams,
  status: 204,
  errors: ["mesh_not_found", "member_not_found"],
});
