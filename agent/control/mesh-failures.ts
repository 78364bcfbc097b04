// Why meshes could not be prepared (a name, a port, a key), until they are.
import type { MeshId } from "#schema/ids";
import type { StepFailure } from "#schema/machine";
import type { Clock } from "../system/clock.ts";
import type { Logger } from "../system/logger.ts";

export interface MeshFailures {
  note(meshId: MeshId, step: string, error: unknown): void;
  clear(meshId: MeshId): void;
  of(meshId: MeshId): readonly StepFailure[];
  list(): readonly (readonly [MeshId, StepFailure])[];
}

export function createMeshFailures(clock: Clock, log: Logger): MeshFailures {
  const failures = new Map<MeshId, StepFailure>();
  return {
    note(meshId, step, error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "unexpected";
      const message = error instanceof Error ? error.message : String(error);
      const since = failures.get(meshId)?.since ?? new Date(clock.wall()).toISOString();
      failures.set(meshId, { step, code, message: message.slice(0, 1_000), since });
      log.error("a mesh could not be prepared as it should be", { meshId, step, error });
    },
    clear: (meshId) => failures.delete(meshId),
    of: (meshId) => [failures.get(meshId) ?? []].flat(),
    list: () => [...failures],
  };
}
