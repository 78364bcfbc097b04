// The VIPs of a mesh: its object decides.
import { Ipv4, Ipv6 } from "#schema/address";
import * as operations from "#schema/api/vips";
import { type MeshId, VipId } from "#schema/ids";
import { err, type Result } from "#schema/result";
import type { Vip } from "#schema/vip";
import { findMesh } from "../db/meshes.ts";
import type { Failure } from "../failure.ts";
import type { AnnouncementView } from "../mesh-object/announcements/announcement-view.ts";
import type { AnnouncementFields } from "../mesh-object/announcements/change-announcements.ts";
import type { Cause } from "../outbox/cause.ts";
import type { Services } from "../services.ts";
import { readAnnouncement } from "./read-announcements.ts";
import { toOutcome } from "./to-outcome.ts";

export const vipsOf = (meshId: MeshId) => ({
  kind: "vip" as const,
  id: VipId,
  toItem: (record: AnnouncementView) => toVip(meshId, record),
});

export async function readVip(
  services: Pick<Services, "db" | "objects">,
  { meshId, vipId }: { meshId: MeshId; vipId: VipId },
): Promise<Result<Vip, Failure<(typeof operations.getVip.errors)[number]>>> {
  const codes = operations.getVip.errors;
  return toOutcome(await readAnnouncement(services, meshId, vipId), { ...vipsOf(meshId), codes });
}

export async function createVip(
  { db, objects, ids }: Services,
  { meshId, request, cause }: { meshId: MeshId; request: operations.CreateVip; cause: Cause },
): Promise<Result<Vip, Failure<(typeof operations.createVip.errors)[number]>>> {
  if ((await findMesh(db, meshId)) === null) return err({ code: "mesh_not_found" });
  const { enabled: isEnabled, ...fields } = request;
  const announcement = { id: ids.vip(), kind: "vip" as const, fields: { ...fields, isEnabled }, cause };
  const created = await objects.mesh(meshId).createAnnouncement(announcement);
  return toOutcome(created, { ...vipsOf(meshId), codes: operations.createVip.errors });
}

export async function updateVip(
  { db, objects }: Services,
  change: { meshId: MeshId; vipId: VipId; request: operations.UpdateVip; cause: Cause },
): Promise<Result<Vip, Failure<(typeof operations.updateVip.errors)[number]>>> {
  const { meshId, vipId, request, cause } = change;
  if ((await findMesh(db, meshId)) === null) return err({ code: "mesh_not_found" });
  const fields = toFields(request);
  const updated = await objects.mesh(meshId).updateAnnouncement({ id: vipId, fields, cause });
  return toOutcome(updated, { ...vipsOf(meshId), codes: operations.updateVip.errors });
}

function toFields({
  name,
  address,
  machineIds,
  enabled,
  healthCheck,
}: operations.UpdateVip): Partial<AnnouncementFields> {
  return {
    ...(name === undefined ? {} : { name }),
    ...(address === undefined ? {} : { address }),
    ...(machineIds === undefined ? {} : { machineIds }),
    ...(enabled === undefined ? {} : { isEnabled: enabled }),
    ...(healthCheck === undefined ? {} : { healthCheck }),
  };
}

function toVip(meshId: MeshId, record: AnnouncementView): Vip {
  const [address = "", address6 = ""] = record.prefixes.map((prefix) => prefix.split("/")[0]);
  return {
    id: VipId.parse(record.id),
    meshId,
    name: record.name,
    address: Ipv4.parse(address),
    address6: Ipv6.parse(address6),
    machineIds: [...record.machineIds],
    enabled: record.isEnabled,
    healthCheck: record.healthCheck,
    createdAt: new Date(record.createdAt).toISOString(),
    heldBy: record.heldBy,
    announcers: [...record.announcers],
  };
}
