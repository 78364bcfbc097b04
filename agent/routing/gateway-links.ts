// The links between a gateway's BIRDs of different meshes. Only this machine knows of them. Pure.
import { Ipv4 } from "#schema/address";
import type { MachineId } from "#schema/ids";
import type { GatewayLink } from "../bird/bird-config.ts";
import { toForeignPrefixes } from "./foreign-prefixes.ts";
import type { RoutedMesh } from "./routed-mesh.ts";

/** One for each other mesh in which this machine is a gateway, too; none unless it is one in this mesh. */
export function toGatewayLinks(mesh: RoutedMesh, meshes: readonly RoutedMesh[], machineId: MachineId): GatewayLink[] {
  if (!isGatewayIn(mesh, machineId)) return [];
  return meshes
    .filter((other) => other.desired.mesh.id !== mesh.desired.mesh.id && isGatewayIn(other, machineId))
    .flatMap((other) => toLink(mesh, other, machineId) ?? []);
}

export const isGatewayIn = ({ desired }: RoutedMesh, machineId: MachineId): boolean =>
  desired.members.some((member) => member.machineId === machineId && member.isGateway);

/** Of the meshes in which this machine is a gateway: what came in on one may leave on another. */
export const toGatewayInterfaces = (meshes: readonly RoutedMesh[], machineId: MachineId): string[] =>
  meshes.filter((mesh) => isGatewayIn(mesh, machineId)).map(({ device }) => device.interfaceName);

function toLink(mesh: RoutedMesh, other: RoutedMesh, machineId: MachineId): GatewayLink | null {
  const self = other.desired.members.find((member) => member.machineId === machineId);
  if (self === undefined) return null;
  return {
    meshId: other.desired.mesh.id,
    asn: other.desired.mesh.asn,
    localAddress: toLoopback(mesh),
    remoteAddress: toLoopback(other),
    meshAddress: self.address,
    meshAddress6: self.address6,
    prefixes: toForeignPrefixes(mesh.desired),
  };
}

/** A mesh's own address for all its links. WireGuard's port is unique on the machine and stays, so no link changes when a mesh comes or goes. */
const toLoopback = ({ device: { listenPort } }: RoutedMesh): Ipv4 =>
  Ipv4.parse(`127.66.${listenPort >> 8}.${listenPort & 255}`);
