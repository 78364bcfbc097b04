// Routes and VIPs of a mesh are read from its object, as its members are. The row is looked at first, so that asking for what never was makes
// no object.
import type { z } from "zod";
import type { MeshId } from "#schema/ids";
import { err, ok, type Result } from "#schema/result";
import { findMesh } from "../db/meshes.ts";
import type { Failure } from "../failure.ts";
import type { AnnouncementRecord } from "../mesh-object/announcements/announcement.ts";
import type { AnnouncementView } from "../mesh-object/announcements/announcement-view.ts";
import type { NoAnnouncement } from "../mesh-object/announcements/change-announcements.ts";
import type { Cause } from "../outbox/cause.ts";
import { type Page, type PageQuery, parsePageRequest, toPage } from "../page.ts";
import type { Services } from "../services.ts";

type ReadServices = Pick<Services, "db" | "objects">;

export async function listAnnouncements<Item>(
  { db, objects }: ReadServices,
  { meshId, query }: { readonly meshId: MeshId; readonly query: PageQuery },
  resource: {
    readonly kind: AnnouncementRecord["kind"];
    readonly id: z.ZodType<string>;
    readonly toItem: (record: AnnouncementView) => Item;
  },
): Promise<Result<Page<Item>, Failure<"cursor_invalid" | "mesh_not_found">>> {
  const page = parsePageRequest(query, resource.id);
  if (!page.ok) return page;
  if ((await findMesh(db, meshId)) === null) return err({ code: "mesh_not_found" });
  const { after, limit } = page.value;
  const records = await objects.mesh(meshId).listAnnouncements(resource.kind, { after, limit: limit + 1 });
  if (!records.ok) return records;
  return ok(toPage(records.value, limit, { idOf: ({ id }) => id, toItem: resource.toItem }));
}

export async function readAnnouncement(
  { db, objects }: ReadServices,
  meshId: MeshId,
  id: AnnouncementRecord["id"],
): Promise<Result<AnnouncementView, NoAnnouncement>> {
  if ((await findMesh(db, meshId)) === null) return err({ code: "mesh_not_found" });
  return objects.mesh(meshId).getAnnouncement(id);
}

export async function deleteAnnouncement<Code extends Failure["code"]>(
  { db, objects }: ReadServices,
  { meshId, id, cause }: { readonly meshId: MeshId; readonly id: AnnouncementRecord["id"]; readonly cause: Cause },
  missing: Code,
): Promise<Result<null, Failure<"mesh_not_found" | Code>>> {
  if ((await findMesh(db, meshId)) === null) return err({ code: "mesh_not_found" });
  const deleted = await objects.mesh(meshId).deleteAnnouncement({ id, cause });
  if (deleted.ok) return deleted;
  return err({ code: deleted.error.code === "mesh_not_found" ? deleted.error.code : missing });
}
