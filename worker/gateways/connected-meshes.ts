// Which meshes gateways connect, and whether a change would connect two that overlap. Pure.
import { isOverlapping } from "#schema/address";
import type { MachineId, MeshId } from "#schema/ids";

export interface ConnectedMesh {
  readonly id: MeshId;
  readonly name: string;
  readonly cidr: string;
}
export interface GatewayPlace {
  readonly machineId: MachineId;
  readonly meshId: MeshId;
}

/** All that routes of this mesh may come from, by any number of gateways; itself too. */
export function toConnected(places: readonly GatewayPlace[], meshId: MeshId): ReadonlySet<MeshId> {
  const meshesOf = Map.groupBy(places, ({ machineId }) => machineId);
  const gatewaysOf = Map.groupBy(places, (place) => place.meshId);
  const connected = new Set([meshId]);
  // A set is walked in the order of insertion, also over what is added meanwhile.
  for (const mesh of connected) {
    const gateways = gatewaysOf.get(mesh) ?? [];
    for (const { machineId } of gateways)
      for (const place of meshesOf.get(machineId) ?? []) connected.add(place.meshId);
  }
  return connected;
}

/**
 * Two meshes whose networks overlap and which this gateway connects, in these meshes. What was connected without it counts for nothing: it is
 * there already. Null: there are none.
 */
export function findOverlap(
  meshes: readonly ConnectedMesh[],
  places: readonly GatewayPlace[],
  gateway: { readonly machineId: MachineId; readonly meshIds: readonly MeshId[] },
): readonly [ConnectedMesh, ConnectedMesh] | null {
  const others = places.filter(({ machineId }) => machineId !== gateway.machineId);
  const sides: ReadonlySet<MeshId>[] = [];
  for (const meshId of gateway.meshIds) {
    if (!sides.some((side) => side.has(meshId))) sides.push(toConnected(others, meshId));
  }
  const toMeshes = (side: ReadonlySet<MeshId>) => meshes.filter(({ id }) => side.has(id));
  for (const [index, side] of sides.entries()) {
    for (const one of toMeshes(side)) {
      const other = sides
        .slice(index + 1)
        .flatMap(toMeshes)
        .find(({ cidr }) => isOverlapping(one.cidr, cidr));
      if (other !== undefined) return [one, other];
    }
  }
  return null;
}
