// The mesh's change counter, and what is kept of what went. Pure over the mesh's storage; whoever calls writes the mesh.
import { MAX_TOMBSTONES } from "#schema/limits";
import type { MeshRecord, MeshStorage, Tombstone } from "./storage.ts";

export function toNextRevision(mesh: MeshRecord, change: { isVisible: boolean }): MeshRecord {
  const revision = mesh.revision + 1;
  return { ...mesh, revision, visibleRevision: change.isVisible ? revision : mesh.visibleRevision };
}

/** One for a revision. */
export function bury(storage: MeshStorage, mesh: MeshRecord, gone: Omit<Tombstone, "revision">): MeshRecord {
  storage.insertTombstone({ revision: mesh.revision, ...gone });
  if (mesh.tombstoneCount < MAX_TOMBSTONES) return { ...mesh, tombstoneCount: mesh.tombstoneCount + 1 };
  return { ...mesh, forgottenRevision: storage.dropOldestTombstone() };
}
