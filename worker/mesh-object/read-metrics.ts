// What a scrape is told of the mesh. From memory, but for the routes, the VIPs and the count of gateways: members' rows are not read.
import type { MachineId } from "#schema/ids";
import { ONLINE_WITHIN_MS } from "#schema/limits";
import type { AnnouncementKind, AnnouncementRecord } from "./announcements/announcement.ts";
import type { MeshServices } from "./create-mesh.ts";
import { isPositionOf } from "./member-view.ts";
import { readOpenMesh } from "./members.ts";
import type { AnnouncementCounts, MeshMetrics } from "./rpc.ts";
import type { MeshRecord } from "./storage.ts";

type Parts = Pick<MeshServices, "storage" | "announcements" | "connections" | "linkEvents" | "telemetry" | "watchers">;

export function readMeshMetrics(parts: Parts, nowMs: number): MeshMetrics | null {
  const { storage, announcements, connections, linkEvents, telemetry } = parts;
  const mesh = readOpenMesh(storage);
  if (mesh === null) return null;
  const connected = connections.machineIds();
  const statuses = connected.map((machineId) => ({ machineId, ...connections.statusOf(machineId) }));
  const isRecent = (atMs: number | null) => atMs !== null && nowMs - atMs <= ONLINE_WITHIN_MS;
  const online = statuses.flatMap(({ machineId, lastSeenAt }) => (isRecent(lastSeenAt) ? [machineId] : []));
  const isOnline = toTest(online);
  const websocket = connections.sockets.count();
  const held = announcements.listHolders();
  return {
    revision: mesh.revision,
    memberCount: mesh.memberCount,
    gatewayCount: storage.countGateways(),
    online,
    failingCount: statuses.filter(({ report }) => report !== null && report.failures.length > 0).length,
    behindCount: statuses.filter(({ report }) => report !== null && isBehind(mesh, report.applied)).length,
    connections: { websocket, longPoll: connected.length - websocket },
    watcherCount: parts.watchers.count(),
    watchedCount: telemetry.countWatched(),
    pairs: linkEvents.countIndirect(isOnline),
    routes: countHeld(held, "route", isOnline),
    vips: countHeld(held, "vip", isOnline),
  };
}

function countHeld(
  held: readonly Pick<AnnouncementRecord, "kind" | "machineIds" | "isEnabled">[],
  kind: AnnouncementKind,
  isOnline: (machineId: MachineId) => boolean,
): AnnouncementCounts {
  const enabled = held.filter((record) => record.kind === kind && record.isEnabled);
  const unheld = enabled.filter(({ machineIds }) => !machineIds.some(isOnline));
  return {
    count: held.filter((record) => record.kind === kind).length,
    enabledCount: enabled.length,
    unheldCount: unheld.length,
  };
}

const isBehind = (mesh: MeshRecord, applied: { readonly epoch: string; readonly revision: number }): boolean =>
  !isPositionOf(mesh, applied) || applied.revision < mesh.visibleRevision;

function toTest(machineIds: readonly MachineId[]): (machineId: MachineId) => boolean {
  const set = new Set(machineIds);
  return (machineId) => set.has(machineId);
}
