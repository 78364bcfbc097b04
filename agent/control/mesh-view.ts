// A mesh of this machine, for whoever looks.
import type { DesiredMesh } from "#schema/desired-state";
import type { MeshId } from "#schema/ids";
import type { StepFailure } from "#schema/machine";
import type { MeshPaths } from "../paths/mesh-paths.ts";
import type { ConnectionState } from "./connection.ts";
import type { JoinedMesh } from "./joined-mesh.ts";
import type { ChosenDevice } from "./local-device.ts";
import type { Position } from "./session.ts";

export interface MeshView {
  readonly meshId: MeshId;
  readonly name: string;
  readonly device: ChosenDevice;
  readonly desired: DesiredMesh | null;
  readonly connection: ConnectionState;
  readonly applied: Position | null;
  readonly failures: readonly StepFailure[];
  readonly paths: Pick<MeshPaths, "explain" | "explainAll" | "endpoints">;
}

export const toMeshView = (mesh: JoinedMesh, failures: readonly StepFailure[]): MeshView => {
  const { meshId, name, device, link, applied, paths } = mesh;
  return { meshId, name, device, desired: link.desired(), connection: link.state(), applied, failures, paths };
};
