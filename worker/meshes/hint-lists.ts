import type { MeshId } from "#schema/ids";
import { toErrorFields } from "../log.ts";
import type { Services } from "../services.ts";

/**
 * Tells those who watch these meshes that D1 has a change which the objects did not make. Call it after the change: who is not told sees it when
 * they ask next, so it fails nothing.
 */
export async function hintLists(
  { objects, log }: Pick<Services, "objects" | "log">,
  meshIds: readonly MeshId[],
): Promise<void> {
  const told = await Promise.allSettled(meshIds.map((meshId) => objects.mesh(meshId).hintLists()));
  for (const outcome of told) {
    if (outcome.status === "rejected") log.warn("watchers were not told of a change", toErrorFields(outcome.reason));
  }
}
