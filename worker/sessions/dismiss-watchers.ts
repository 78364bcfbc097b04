import { listMeshIds } from "../db/meshes.ts";
import { toErrorFields } from "../log.ts";
import type { Grant } from "../mesh-object/live/live.ts";
import { inWaves } from "../meshes/in-waves.ts";
import type { Services } from "../services.ts";

/**
 * Ends what was let in with this: the WebSockets over which meshes are watched. Every mesh is asked, because a list of who watches which would
 * be written each time a page is opened, and this is seldom. Call it when D1 has the change. It fails nothing: where a mesh can't be told, its
 * watchers hear for ten minutes at most (MAX_WATCHER_AGE_MS).
 */
export async function dismissWatchers(
  { db, objects, log }: Pick<Services, "db" | "objects" | "log">,
  grant: Grant,
): Promise<void> {
  const meshIds = await listMeshIds(db).catch((error: unknown) => {
    log.warn("no mesh was told whose watchers to dismiss", toErrorFields(error));
    return [];
  });
  await inWaves(meshIds, async (meshId) => {
    try {
      await objects.mesh(meshId).dismissWatchers(grant);
    } catch (error) {
      log.warn("a mesh was not told whose watchers to dismiss", { meshId, ...toErrorFields(error) });
    }
  });
}
