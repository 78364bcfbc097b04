// The networks of all meshes that this machine is in. What goes there goes into a tunnel of ours, so no path of any mesh may lead there.
import type { MeshId } from "#schema/ids";

export interface MeshNetworks {
  set(meshId: MeshId, cidrs: readonly string[]): void;
  /** The mesh was left. */
  drop(meshId: MeshId): void;
  /** The same list until it says something else. */
  all(): readonly string[];
}

export function createMeshNetworks(onChanged: () => void): MeshNetworks {
  const byMesh = new Map<MeshId, readonly string[]>();
  let list: readonly string[] = [];

  function settle(): void {
    const next = [...byMesh.values()].flat();
    if (next.join() === list.join()) return;
    list = next;
    onChanged();
  }

  return {
    all: () => list,
    set(meshId, cidrs) {
      byMesh.set(meshId, cidrs);
      settle();
    },
    drop(meshId) {
      byMesh.delete(meshId);
      settle();
    },
  };
}
