// What works and is worth knowing about how a mesh's members tell each other routes.
import { MANY_MEMBERS } from "#schema/limits";
import type { Warning } from "#schema/mesh";
import type { MeshRecord } from "../db/meshes.ts";

export function adviseRouting(
  mesh: Pick<MeshRecord, "routeReflectorMode" | "memberCount" | "gatewayCount">,
): Warning[] {
  const { gatewayCount } = mesh;
  if (mesh.routeReflectorMode) {
    if (gatewayCount > 1) return [];
    const message =
      "the mesh has one gateway, which all its routes depend on in route reflector mode: two or more are advised";
    return [{ code: "single_gateway", message }];
  }
  if (mesh.memberCount < MANY_MEMBERS) return [];
  const how = gatewayCount === 0 ? "make two or more of its machines gateways, then set" : "set";
  const message = `with ${mesh.memberCount} members, route reflector mode is advised from ${MANY_MEMBERS} on: ${how} routeReflectorMode to true`;
  return [{ code: "route_reflectors_advised", message }];
}
