import { z } from "zod";
import { MeshId, RouteId } from "../ids.ts";
import { Name, Warning } from "../mesh.ts";
import {
  Announcers,
  allowsDefaultRoute,
  isEnabled,
  isMasquerading,
  NullableHealthCheck,
  Prefixes,
  Route,
} from "../route.ts";
import { defineOperation, PageQuery, pageOf } from "./operation.ts";

const tag = "routes";
const params = z.object({ meshId: MeshId });
const routeParams = z.object({ meshId: MeshId, routeId: RouteId });

export const CreateRoute = z
  .object({
    name: Name,
    prefixes: Prefixes,
    machineIds: Announcers,
    enabled: isEnabled.default(true),
    isMasquerading: isMasquerading.default(false),
    allowsDefaultRoute: allowsDefaultRoute.default(false),
    healthCheck: NullableHealthCheck.default(null),
  })
  .meta({
    id: "CreateRoute",
    examples: [{ name: "warehouse-lan", prefixes: ["192.168.7.0/24"], machineIds: ["mch_01kaqx4d8e6v2m9t7w3hncz5rb"] }],
  });
export type CreateRoute = z.infer<typeof CreateRoute>;

export const RouteDetails = Route.extend({
  warnings: z.array(Warning).describe("What works and is worth knowing; mostly empty."),
}).meta({ id: "RouteDetails", description: "A route, with what is worth knowing about it." });
export type RouteDetails = z.infer<typeof RouteDetails>;

export const UpdateRoute = z
  .object({
    name: Name.optional(),
    prefixes: Prefixes.optional(),
    machineIds: Announcers.optional(),
    enabled: isEnabled.optional(),
    isMasquerading: isMasquerading.optional(),
    allowsDefaultRoute: allowsDefaultRoute.optional(),
    healthCheck: NullableHealthCheck.optional(),
  })
  .meta({ id: "UpdateRoute", description: "What is left out stays; lists and the check are replaced as a whole." });
export type UpdateRoute = z.infer<typeof UpdateRoute>;

const REFUSALS = [
  "mesh_not_found",
  "member_not_found",
  "name_taken",
  "prefix_taken",
  "cidr_overlap",
  "default_route_not_allowed",
] as const;

export const listRoutes = defineOperation({
  id: "listRoutes",
  tag,
  method: "get",
  path: "/meshes/{meshId}/routes",
  summary: "List the routes of a mesh",
  role: "viewer",
  params,
  query: PageQuery,
  status: 200,
  reply: pageOf(Route, "RoutePage"),
  errors: ["mesh_not_found", "cursor_invalid"],
});
export const createRoute = defineOperation({
  id: "createRoute",
  tag,
  method: "post",
  path: "/meshes/{meshId}/routes",
  summary: "Create a route",
  description:
    "Refused are prefixes that overlap the mesh's own networks or those of another mesh that one of the machines is in, and a prefix that " +
    "another route of the mesh has: add the machine to that route instead.",
  role: "admin",
  params,
  body: CreateRoute,
  status: 201,
  reply: RouteDetails,
  isIdempotencyKeyAccepted: true,
  errors: [...REFUSALS, "limit_reached"],
});
export const getRoute = defineOperation({
  id: "getRoute",
  tag,
  method: "get",
  path: "/meshes/{meshId}/routes/{routeId}",
  summary: "Read a route",
  role: "viewer",
  params: routeParams,
  status: 200,
  reply: Route,
  errors: ["mesh_not_found", "route_not_found"],
});
export const updateRoute = defineOperation({
  id: "updateRoute",
  tag,
  method: "patch",
  path: "/meshes/{meshId}/routes/{routeId}",
  summary: "Change a route",
  role: "admin",
  params: routeParams,
  body: UpdateRoute,
  status: 200,
  reply: RouteDetails,
  errors: [...REFUSALS, "route_not_found"],
});
export const deleteRoute = defineOperation({
  id: "deleteRoute",
  tag,
  method: "delete",
  path: "/meshes/{meshId}/routes/{routeId}",
  summary: "Delete a route",
  role: "admin",
  params: routeParams,
  status: 204,
  errors: ["mesh_not_found", "route_not_found"],
});
