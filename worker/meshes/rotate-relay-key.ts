import type { RelayKey } from "#schema/api/meshes";
import type { MeshId } from "#schema/ids";
import { ok, type Result } from "#schema/result";
import type { Failure } from "../failure.ts";
import type { Cause } from "../outbox/cause.ts";
import type { Services } from "../services.ts";

/** The mesh's object tells D1 that it did, if it did. */
export async function rotateRelayKey(
  { objects }: Services,
  { meshId, cause }: { meshId: MeshId; cause: Cause },
): Promise<Result<RelayKey, Failure<"mesh_not_found">>> {
  const replaced = await objects.mesh(meshId).replaceRelayKey(cause);
  if (!replaced.ok) return replaced;
  const { madeAtMs } = replaced.value;
  return ok({ madeAt: madeAtMs === null ? null : new Date(madeAtMs).toISOString() });
}
