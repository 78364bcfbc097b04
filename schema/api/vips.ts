import { z } from "zod";
import { Ipv4 } from "../address.ts";
import { MeshId, VipId } from "../ids.ts";
import { Name } from "../mesh.ts";
import { Announcers, isEnabled, NullableHealthCheck } from "../route.ts";
import { Vip } from "../vip.ts";
import { defineOperation, PageQuery, pageOf } from "./operation.ts";

const tag = "vips";
const params = z.object({ meshId: MeshId });
const vipParams = z.object({ meshId: MeshId, vipId: VipId });
const address = Ipv4.describe("A host address of the mesh's network that no member and no other VIP has.");

export const CreateVip = z
  .object({
    name: Name,
    address,
    machineIds: Announcers,
    enabled: isEnabled.default(true),
    healthCheck: NullableHealthCheck.default(null),
  })
  .meta({
    id: "CreateVip",
    examples: [
      {
        name: "database",
        address: "10.1.0.100",
        machineIds: ["mch_01kaqx4d8e6v2m9t7w3hncz5rb"],
        healthCheck: { type: "tcp", target: ":5432" },
      },
    ],
  });
export type CreateVip = z.infer<typeof CreateVip>;

export const UpdateVip = z
  .object({
    name: Name.optional(),
    address: address.optional(),
    machineIds: Announcers.optional(),
    enabled: isEnabled.optional(),
    healthCheck: NullableHealthCheck.optional(),
  })
  .meta({ id: "UpdateVip", description: "What is left out stays; the list and the check are replaced as a whole." });
export type UpdateVip = z.infer<typeof UpdateVip>;

const REFUSALS = ["mesh_not_found", "member_not_found", "name_taken", "address_taken", "address_outside_mesh"] as const;

export const listVips = defineOperation({
  id: "listVips",
  tag,
  method: "get",
  path: "/meshes/{meshId}/vips",
  summary: "List the VIPs of a mesh",
  role: "viewer",
  params,
  query: PageQuery,
  status: 200,
  reply: pageOf(Vip, "VipPage"),
  errors: ["mesh_not_found", "cursor_invalid"],
});
export const createVip = defineOperation({
  id: "createVip",
  tag,
  method: "post",
  path: "/meshes/{meshId}/vips",
  summary: "Create a VIP",
  description: "An address outside the mesh's network is announced by a route with a prefix of one host.",
  role: "admin",
  params,
  body: CreateVip,
  status: 201,
  reply: Vip,
  isIdempotencyKeyAccepted: true,
  errors: [...REFUSALS, "limit_reached"],
});
export const getVip = defineOperation({
  id: "getVip",
  tag,
  method: "get",
  path: "/meshes/{meshId}/vips/{vipId}",
  summary: "Read a VIP",
  role: "viewer",
  params: vipParams,
  status: 200,
  reply: Vip,
  errors: ["mesh_not_found", "vip_not_found"],
});
export const updateVip = defineOperation({
  id: "updateVip",
  tag,
  method: "patch",
  path: "/meshes/{meshId}/vips/{vipId}",
  summary: "Change a VIP",
  role: "admin",
  params: vipParams,
  body: UpdateVip,
  status: 200,
  reply: Vip,
  errors: [...REFUSALS, "vip_not_found"],
});
export const deleteVip = defineOperation({
  id: "deleteVip",
  tag,
  method: "delete",
  path: "/meshes/{meshId}/vips/{vipId}",
  summary: "Delete a VIP",
  description:
    "Members do not get its address for 24 hours, unless the mesh has no other left; another VIP can at once.",
  role: "admin",
  params: vipParams,
  status: 204,
  errors: ["mesh_not_found", "vip_not_found"],
});
