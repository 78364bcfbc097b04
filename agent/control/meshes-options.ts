// What the meshes of this machine are made with.
import type { MachineId, MeshId } from "#schema/ids";
import type { StepFailure } from "#schema/machine";
import type { Health } from "../health/health.ts";
import type { PathPorts } from "../paths/path-ports.ts";
import type { MeshRoutes } from "../reconcile/mesh-routes.ts";
import type { Reconciler } from "../reconcile/reconciler.ts";
import type { Routing } from "../routing/routing.ts";
import type { DiskCache } from "./disk-cache.ts";
import type { JoinedMeshOptions } from "./joined-mesh.ts";
import type { LinkPorts } from "./link-ports.ts";
import type { DeviceChooser } from "./local-device.ts";

export interface ListedMesh {
  readonly meshId: MeshId;
  readonly name: string;
}

export interface MeshesOptions {
  readonly machineId: MachineId;
  readonly chooser: DeviceChooser;
  readonly cache: DiskCache;
  readonly reconciler: Reconciler;
  readonly health: Health;
  readonly routes: MeshRoutes;
  readonly routing: Routing;
  readonly routingView: JoinedMeshOptions["routingView"];
  readonly linkPorts: LinkPorts;
  readonly serverNow: () => number;
  readonly pathPorts: PathPorts;
  readonly heartbeatMs: number;
  readonly reportDebounceMs: number;
  readonly retryMs: number;
  /** Why this machine's identity key is not replaced. */
  readonly identityFailure: () => StepFailure | null;
  /** A mesh let this machine go: ask the Machine object what is true. */
  readonly onDoubt: () => void;
  readonly onMachineRemoved: () => void;
}
