// A change of what policy sets say, or of who uses which, in three steps, so that it reaches every mesh that it concerns also when the
// Worker dies in the middle: the meshes are told that a change comes, D1 is changed, the meshes are told to look. A mesh that expects a
// change looks for itself, again and again, for some minutes (worker/mesh-object/policies).
import type { MeshId } from "#schema/ids";
import { MAX_MESHES_PER_POLICY_CHANGE } from "#schema/limits";
import { err, ok, type Result } from "#schema/result";
import type { Failure } from "../failure.ts";
import { toErrorFields } from "../log.ts";
import { inWaves } from "../meshes/in-waves.ts";
import type { Services } from "../services.ts";

export async function changePolicies<T>(
  { objects, log }: Pick<Services, "objects" | "log">,
  { listMeshes, write }: { listMeshes: () => Promise<readonly MeshId[]>; write: () => Promise<T> },
): Promise<Result<T, Failure<"limit_reached">>> {
  const before = await listMeshes();
  if (before.length > MAX_MESHES_PER_POLICY_CHANGE) {
    const detail = `the change concerns ${before.length} meshes, and one may concern at most ${MAX_MESHES_PER_POLICY_CHANGE}`;
    return err({ code: "limit_reached", detail });
  }
  // Nothing is changed when one of them can't be told.
  await inWaves(before, (meshId) => objects.mesh(meshId).expectPolicies());
  const written = await write();
  // Also those that came to use it meanwhile: they would find out by themselves, but later.
  const after = new Set([...before, ...(await listMeshes())]);
  await inWaves([...after], async (meshId) => {
    try {
      await objects.mesh(meshId).refreshPolicies();
    } catch (error) {
      log.warn("a mesh was not told of its policies: it will look for itself", { meshId, ...toErrorFields(error) });
    }
  });
  return ok(written);
}
