// The routes of a mesh: its object decides, except about other meshes, of which D1 knows.
import * as operations from "#schema/api/routes";
import { type MeshId, RouteId } from "#schema/ids";
import { err, ok, type Result } from "#schema/result";
import type { Route } from "#schema/route";
import { findMesh } from "../db/meshes.ts";
import type { Failure } from "../failure.ts";
import { warnOfOtherMeshes } from "../gateways/find-gateway-overlap.ts";
import type { AnnouncementView } from "../mesh-object/announcements/announcement-view.ts";
import type { AnnouncementFields } from "../mesh-object/announcements/change-announcements.ts";
import type { Cause } from "../outbox/cause.ts";
import type { Services } from "../services.ts";
import { findForeignOverlap } from "./find-foreign-overlap.ts";
import { readAnnouncement } from "./read-announcements.ts";
import { toOutcome } from "./to-outcome.ts";

export const routesOf = (meshId: MeshId) => ({
  kind: "route" as const,
  id: RouteId,
  toItem: (record: AnnouncementView) => toRoute(meshId, record),
});

export async function readRoute(
  services: Pick<Services, "db" | "objects">,
  { meshId, routeId }: { meshId: MeshId; routeId: RouteId },
): Promise<Result<Route, Failure<(typeof operations.getRoute.errors)[number]>>> {
  const codes = operations.getRoute.errors;
  return toOutcome(await readAnnouncement(services, meshId, routeId), { ...routesOf(meshId), codes });
}

export async function createRoute(
  services: Services,
  { meshId, request, cause }: { meshId: MeshId; request: operations.CreateRoute; cause: Cause },
): Promise<Result<operations.RouteDetails, Failure<(typeof operations.createRoute.errors)[number]>>> {
  const { db, objects, ids } = services;
  if ((await findMesh(db, meshId)) === null) return err({ code: "mesh_not_found" });
  const overlap = await findForeignOverlap(services, { meshId, ...request });
  if (overlap !== null) return err(overlap);
  const { enabled: isEnabled, ...fields } = request;
  const announcement = { id: ids.route(), kind: "route" as const, fields: { ...fields, isEnabled }, cause };
  const created = await objects.mesh(meshId).createAnnouncement(announcement);
  return withWarnings(services, toOutcome(created, { ...routesOf(meshId), codes: operations.createRoute.errors }));
}

export async function updateRoute(
  services: Services,
  change: { meshId: MeshId; routeId: RouteId; request: operations.UpdateRoute; cause: Cause },
): Promise<Result<operations.RouteDetails, Failure<(typeof operations.updateRoute.errors)[number]>>> {
  const { meshId, routeId, request, cause } = change;
  const before = await readRoute(services, change);
  if (!before.ok) return before;
  const { prefixes = before.value.prefixes, machineIds = before.value.machineIds } = request;
  const overlap = await findForeignOverlap(services, { meshId, prefixes, machineIds });
  if (overlap !== null) return err(overlap);
  const fields = toFields(request);
  const updated = await services.objects.mesh(meshId).updateAnnouncement({ id: routeId, fields, cause });
  return withWarnings(services, toOutcome(updated, { ...routesOf(meshId), codes: operations.updateRoute.errors }));
}

async function withWarnings<F>(
  services: Services,
  outcome: Result<Route, F>,
): Promise<Result<operations.RouteDetails, F>> {
  return outcome.ok ? ok({ ...outcome.value, warnings: await warnOfOtherMeshes(services, outcome.value) }) : outcome;
}

function toFields(request: operations.UpdateRoute): Partial<AnnouncementFields> {
  const { name, prefixes, machineIds, enabled, isMasquerading, allowsDefaultRoute, healthCheck } = request;
  return {
    ...(name === undefined ? {} : { name }),
    ...(prefixes === undefined ? {} : { prefixes }),
    ...(machineIds === undefined ? {} : { machineIds }),
    ...(enabled === undefined ? {} : { isEnabled: enabled }),
    ...(isMasquerading === undefined ? {} : { isMasquerading }),
    ...(allowsDefaultRoute === undefined ? {} : { allowsDefaultRoute }),
    ...(healthCheck === undefined ? {} : { healthCheck }),
  };
}

const toRoute = (meshId: MeshId, record: AnnouncementView): Route => ({
  id: RouteId.parse(record.id),
  meshId,
  name: record.name,
  prefixes: [...record.prefixes],
  machineIds: [...record.machineIds],
  enabled: record.isEnabled,
  isMasquerading: record.isMasquerading,
  allowsDefaultRoute: record.allowsDefaultRoute,
  healthCheck: record.healthCheck,
  createdAt: new Date(record.createdAt).toISOString(),
  heldBy: record.heldBy,
  announcers: [...record.announcers],
});
