// The kernel's routes of all meshes of this machine, as the reconciler needs them: what is behind whom.
import type { DesiredMesh } from "#schema/desired-state";
import type { MachineId, MeshId } from "#schema/ids";
import { toKernelMetric } from "../net/kernel-metric.ts";
import { createKernelRoutes, type KernelRoutesPorts } from "../net/kernel-routes.ts";
import type { Logger } from "../system/logger.ts";
import type { LocalDevice } from "./to-desired-device.ts";
import {
  type Authorising,
  createRoutingCache,
  mayHaveRoutes,
  type RefusedRoute,
  type Routing,
} from "./to-routed-prefixes.ts";

export interface MeshRoutes {
  /** All meshes that this machine is in: the kernel is followed while any of them may have routes. */
  setMeshes(meshes: readonly DesiredMesh[]): void;
  /** What is behind whom; the same object until something changes. Null: not known yet. */
  routingOf(desired: Authorising, device: Pick<LocalDevice, "interfaceName" | "listenPort">): Routing | null;
  /** Routes that BIRD took and WireGuard does not get, when last asked for what is behind whom. */
  refusedOf(meshId: MeshId): readonly RefusedRoute[];
  stop(): void;
}

const NOTHING: Routing = { routed: new Map(), refused: [] };
const SHOWN = 5;

export function createMeshRoutes(machineId: MachineId, ports: KernelRoutesPorts): MeshRoutes {
  const kernel = createKernelRoutes(ports);
  const caches = new Map<MeshId, ReturnType<typeof createRoutingCache>>();
  const refused = new Map<MeshId, readonly RefusedRoute[]>();

  function noteRefused(meshId: MeshId, next: readonly RefusedRoute[]): void {
    if (refused.get(meshId) === next) return;
    refused.set(meshId, next);
    if (next.length > 0) logRefused(ports.log, meshId, next);
  }

  return {
    setMeshes(meshes) {
      const present = new Set(meshes.map(({ mesh }) => mesh.id));
      for (const meshId of [...caches.keys(), ...refused.keys()]) {
        if (present.has(meshId)) continue;
        caches.delete(meshId);
        refused.delete(meshId);
      }
      kernel.setActive(meshes.some(mayHaveRoutes));
    },
    routingOf(desired, { interfaceName, listenPort }) {
      const meshId = desired.mesh.id;
      const routes = mayHaveRoutes(desired) ? kernel.routesOf(toKernelMetric(listenPort)) : [];
      if (routes === null) return null;
      const toRouting = caches.get(meshId) ?? createRoutingCache();
      caches.set(meshId, toRouting);
      const routing = routes.length === 0 ? NOTHING : toRouting({ desired, machineId, interfaceName, routes });
      noteRefused(meshId, routing.refused);
      return routing;
    },
    refusedOf: (meshId) => refused.get(meshId) ?? [],
    stop: () => kernel.stop(),
  };
}

function logRefused(log: Logger, meshId: MeshId, routes: readonly RefusedRoute[]): void {
  const shown = routes.slice(0, SHOWN).map(({ route, reason }) => `${route.prefix} via ${route.nextHop}: ${reason}`);
  log.warn("routes of BIRD that WireGuard does not get", { meshId, count: routes.length, first: shown });
}
