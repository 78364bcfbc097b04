// Which of the networks behind members contain an endpoint of some member: what would be sent there goes into a tunnel, also what WireGuard
// itself sends. Pure.
import { toCoveringRoutes } from "../paths/core/covering-routes.ts";
import type { DesiredDevice } from "../reconcile/desired-device.ts";
import type { RoutedMesh } from "../routing/routed-mesh.ts";

export function toRoutedNetworks(
  meshes: readonly Pick<RoutedMesh, "desired">[],
  devices: readonly Pick<DesiredDevice, "peers">[],
): string[] {
  // A peer's own two addresses come first.
  const behind = devices.flatMap(({ peers }) => peers.flatMap(({ allowedIps }) => allowedIps.slice(2)));
  if (behind.length === 0) return [];
  const endpoints = meshes.flatMap(({ desired }) =>
    desired.members.flatMap(({ candidates }) => candidates.map(({ endpoint }) => endpoint)),
  );
  return toCoveringRoutes(endpoints, behind);
}
