// What the reconciler is given of each mesh: made of its desired state, of the paths, of what BIRD put into the kernel and of the health of what is
// announced.
import type { AnnouncementRow, DesiredMesh } from "#schema/desired-state";
import type { MachineId, MeshId } from "#schema/ids";
import type { Health } from "../health/health.ts";
import type { AnnouncedNetwork, DesiredDevice } from "../reconcile/desired-device.ts";
import { createLinger } from "../reconcile/linger.ts";
import type { MeshRoutes } from "../reconcile/mesh-routes.ts";
import { toAnnouncedNetworks, toHeldAddresses } from "../reconcile/to-announced.ts";
import { createPeerCache, toDesiredDevice } from "../reconcile/to-desired-device.ts";
import type { Clock } from "../system/clock.ts";
import type { JoinedMesh } from "./joined-mesh.ts";

export interface MeshDevices {
  /** Null while this machine is not among the members. @param gatewayInterfaces of all meshes in which this machine is a gateway */
  toDevice(
    mesh: Pick<JoinedMesh, "meshId" | "device" | "paths">,
    desired: DesiredMesh,
    gatewayInterfaces: readonly string[],
  ): DesiredDevice | null;
  forget(meshId: MeshId): void;
  stop(): void;
}

export interface MeshDevicesOptions {
  readonly machineId: MachineId;
  readonly clock: Clock;
  readonly health: Pick<Health, "isAnnounced">;
  readonly routes: Pick<MeshRoutes, "routingOf">;
  /** Something that lingered is over. */
  readonly onChanged: () => void;
}

/**
 * By then every member has heard that somebody announces something no more, and sends elsewhere: longer than BIRD goes on announcing what others take
 * over (agent/routing/handover.ts).
 */
const LINGER_MS = 10_000;

export function createMeshDevices(options: MeshDevicesOptions): MeshDevices {
  const { machineId, clock, health, routes, onChanged: onOver } = options;
  const peerCache = createPeerCache();
  const parts = { clock, lingerMs: LINGER_MS, onOver };
  const held = createLinger<string>({ ...parts, toId: (address) => address });
  const networks = createLinger<AnnouncedNetwork>({ ...parts, toId: ({ prefix }) => prefix });
  // Else WireGuard would take a prefix from a member before BIRD has found another way.
  const authorised = createLinger<AnnouncementRow>({ ...parts, toId: (row) => JSON.stringify(row) });
  const all = [held, networks, authorised];

  return {
    toDevice({ meshId, device, paths }, desired, gatewayInterfaces) {
      const announcements = desired.announcements && authorised.extend(meshId, desired.announcements);
      return toDesiredDevice({
        ...{ desired, machineId, device, decisionOf: paths.decisionOf, peerCache, gatewayInterfaces },
        routed: routes.routingOf({ ...desired, announcements }, device)?.routed ?? null,
        heldAddresses: held.extend(
          meshId,
          toHeldAddresses(desired, (id) => health.isAnnounced(meshId, id)),
        ),
        networks: networks.extend(meshId, toAnnouncedNetworks(desired)),
      });
    },
    forget(meshId) {
      for (const linger of all) linger.forget(meshId);
    },
    stop() {
      for (const linger of all) linger.stop();
    },
  };
}
