// What the BIRDs of this machine say, for whoever looks: nothing is asked of them otherwise.
import type { AnnouncementState, CheckState } from "#schema/announcement-state";
import type { BgpSession } from "#schema/bgp";
import type { DesiredMesh } from "#schema/desired-state";
import type { MachineId, MeshId } from "#schema/ids";
import type { Prefix } from "#schema/prefix";
import type { Bird } from "../../bird/bird.ts";
import type { BirdProtocol } from "../../bird/parse-protocols.ts";
import type { DutyHealth } from "../../health/health.ts";
import type { Logger } from "../../system/logger.ts";
import { toAnnouncementState, toCheckState } from "./to-announcement-states.ts";
import { type BgpSessions, type RouteCounts, sessionWith, toBgpSessions, toRouteCounts } from "./to-bgp-sessions.ts";
import { type Rib, toRib } from "./to-rib.ts";

export const NO_BIRD =
  "no BIRD runs for this mesh: no member announces anything and none is a gateway, or it could not be started (see this machine's failures)";

export interface RoutingView {
  /** Asks the mesh's BIRD for its sessions, for `sessionWith`. */
  readSessions(meshId: MeshId): Promise<void>;
  /** As it was when they were read last. */
  sessionWith(meshId: MeshId, machineId: MachineId): BgpSession;
  /** Of the session with this machine, as it was then; null: there is none. */
  routesFrom(meshId: MeshId, machineId: MachineId): RouteCounts | null;
  /** Null: no BIRD runs for this mesh. Rejects when it does not answer. */
  readRib(desired: DesiredMesh, prefix: Prefix | null): Promise<Rib | null>;
  announcementsOf(meshId: MeshId): readonly AnnouncementState[];
  /** Of those that have a check. */
  checksOf(meshId: MeshId): readonly CheckState[];
}

export interface RoutingViewOptions {
  readonly machineId: MachineId;
  /** Null: this mesh has none. */
  readonly birdOf: (meshId: MeshId) => Pick<Bird, "readProtocols" | "readRoutes"> | null;
  readonly listDuties: () => readonly DutyHealth[];
  /** Sessions were read, and they or their numbers of routes are not those of the time before. */
  readonly onChanged: (meshId: MeshId) => void;
  readonly toWallMs: (atMs: number) => number;
  readonly log: Logger;
}

export function createRoutingView(options: RoutingViewOptions): RoutingView {
  const { machineId, birdOf, listDuties, toWallMs, log } = options;
  const known = new Map<MeshId, Known | null>();
  const reading = new Map<MeshId, Promise<void>>();

  async function look(meshId: MeshId): Promise<void> {
    try {
      const protocols = (await birdOf(meshId)?.readProtocols()) ?? null;
      const before = known.get(meshId);
      const next = protocols === null ? null : toKnown(protocols);
      known.set(meshId, next);
      if (before !== undefined && renderCounts(before) !== renderCounts(next)) options.onChanged(meshId);
    } catch (error) {
      known.delete(meshId);
      log.debug("BIRD's sessions could not be read", { meshId, error });
    } finally {
      reading.delete(meshId);
    }
  }

  return {
    readSessions(meshId) {
      const running = reading.get(meshId) ?? look(meshId);
      reading.set(meshId, running);
      return running;
    },
    sessionWith: (meshId, peerId) => sessionWith(known.get(meshId)?.sessions ?? null, peerId),
    routesFrom: (meshId, peerId) => known.get(meshId)?.routeCounts.get(peerId) ?? null,
    async readRib(desired, prefix) {
      const routes = await birdOf(desired.mesh.id)?.readRoutes();
      return routes == null ? null : toRib({ desired, machineId, routes, prefix });
    },
    announcementsOf: (meshId) =>
      listDuties()
        .filter((duty) => duty.meshId === meshId)
        .map((duty) => toAnnouncementState(duty, toWallMs)),
    checksOf: (meshId) =>
      listDuties()
        .filter((duty) => duty.meshId === meshId)
        .flatMap((duty) => toCheckState(duty, toWallMs)),
  };
}

interface Known {
  readonly sessions: BgpSessions;
  readonly routeCounts: ReadonlyMap<MachineId, RouteCounts>;
}

const toKnown = (protocols: readonly BirdProtocol[]): Known => ({
  sessions: toBgpSessions(protocols),
  routeCounts: toRouteCounts(protocols),
});

/** What of it shows that there are other routes. */
const renderCounts = (known: Known | null): string =>
  JSON.stringify([...(known?.routeCounts ?? [])].map(([id, counts]) => [id, counts, known?.sessions.get(id)?.state]));
