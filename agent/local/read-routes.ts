import type { DesiredMesh } from "#schema/desired-state";
import type { MeshId } from "#schema/ids";
import type { RoutesReply } from "#schema/local/status";
import { NO_BIRD } from "../routing/view/routing-view.ts";
import type { Rib } from "../routing/view/to-rib.ts";

interface RoutedMesh {
  readonly meshId: MeshId;
  readonly name: string;
  /** Null until the mesh told it. */
  readonly desired: DesiredMesh | null;
}

/** @param readRib null: no BIRD runs for the mesh */
export async function readRoutes(
  meshes: readonly RoutedMesh[],
  readRib: (desired: DesiredMesh) => Promise<Rib | null> | undefined,
): Promise<RoutesReply> {
  const parts = await Promise.all(meshes.map((mesh) => readMesh(mesh, readRib)));
  return {
    routes: parts.flatMap(({ routes }) => routes),
    isTruncated: parts.some(({ isTruncated }) => isTruncated),
    problems: parts.flatMap(({ problems }) => problems),
  };
}

async function readMesh(
  { meshId, name: mesh, desired }: RoutedMesh,
  readRib: (desired: DesiredMesh) => Promise<Rib | null> | undefined,
): Promise<RoutesReply> {
  const fail = (message: string) => ({ routes: [], isTruncated: false, problems: [{ meshId, mesh, message }] });
  if (desired === null) return fail("the mesh has not told its members yet");
  try {
    const rib = await readRib(desired);
    if (rib == null) return fail(NO_BIRD);
    return { ...rib, routes: rib.routes.map((route) => ({ ...route, meshId, mesh })), problems: [] };
  } catch (error) {
    return fail(`BIRD does not answer: ${error instanceof Error ? error.message : String(error)}`);
  }
}
