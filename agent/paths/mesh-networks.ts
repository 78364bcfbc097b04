// What goes into a tunnel of ours: the networks of all meshes that this machine is in, and what is routed into them. No path of any mesh may lead
// there.
import type { MeshId } from "#schema/ids";

export interface TunnelNetworks {
  /** The meshes' own. */
  readonly meshes: readonly string[];
  /** Behind members, as far as it matters to some endpoint (toCoveringRoutes). */
  readonly routed: readonly string[];
}

export interface MeshNetworks {
  set(meshId: MeshId, cidrs: readonly string[]): void;
  /** The mesh was left. */
  drop(meshId: MeshId): void;
  /** Of all meshes. */
  setRouted(prefixes: readonly string[]): void;
  /** The same object until it says something else. */
  all(): TunnelNetworks;
}

export function createMeshNetworks(onChanged: () => void): MeshNetworks {
  const byMesh = new Map<MeshId, readonly string[]>();
  let known: TunnelNetworks = { meshes: [], routed: [] };

  function settle(next: TunnelNetworks): void {
    if (JSON.stringify(next) === JSON.stringify(known)) return;
    known = next;
    onChanged();
  }
  const settleMeshes = () => settle({ ...known, meshes: [...byMesh.values()].flat() });

  return {
    all: () => known,
    set(meshId, cidrs) {
      byMesh.set(meshId, cidrs);
      settleMeshes();
    },
    drop(meshId) {
      byMesh.delete(meshId);
      settleMeshes();
    },
    setRouted: (routed) => settle({ ...known, routed }),
  };
}
