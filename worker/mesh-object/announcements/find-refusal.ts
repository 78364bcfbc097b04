// Whether a mesh takes a route or a VIP as it is wanted. Pure over the mesh's storage.
import type { MeshSettings } from "#schema/desired-state";
import type { MachineId } from "#schema/ids";
import { MAX_ROUTES_PER_MESH, MAX_VIPS_PER_MESH } from "#schema/limits";
import { isDefaultRoute, isPrefixOverlapping, type Prefix } from "#schema/prefix";
import type { MeshStorage } from "../storage.ts";
import type { AnnouncementKind, AnnouncementRecord } from "./announcement.ts";
import type { AnnouncementStorage } from "./announcement-storage.ts";

/** With the place of what is at fault, and what it meets. */
export type AnnouncementRefusal =
  | { readonly code: "name_taken" | "address_taken" | "address_outside_mesh" }
  | { readonly code: "limit_reached"; readonly limit: number }
  | { readonly code: "member_not_found"; readonly index: number; readonly machineId: MachineId }
  | { readonly code: "prefix_taken"; readonly index: number; readonly prefix: Prefix; readonly holderName: string }
  | { readonly code: "cidr_overlap"; readonly index: number; readonly prefix: Prefix; readonly cidr: string }
  | { readonly code: "default_route_not_allowed"; readonly index: number; readonly prefix: Prefix };

export interface RefusalParts {
  readonly storage: Pick<MeshStorage, "readMember">;
  readonly announcements: Pick<AnnouncementStorage, "count" | "findByName" | "findByPrefix">;
}

const LIMITS: Readonly<Record<AnnouncementKind, number>> = { route: MAX_ROUTES_PER_MESH, vip: MAX_VIPS_PER_MESH };

/** The addresses of VIPs are looked at when they are taken from the pool. */
export function findRefusal(
  { storage, announcements }: RefusalParts,
  settings: MeshSettings,
  { before, wanted }: { before: AnnouncementRecord | null; wanted: AnnouncementRecord },
): AnnouncementRefusal | null {
  const { kind, name, machineIds } = wanted;
  if (before === null && announcements.count(kind) >= LIMITS[kind]) {
    return { code: "limit_reached", limit: LIMITS[kind] };
  }
  const namesake = name === before?.name ? null : announcements.findByName(kind, name);
  if (namesake !== null) return { code: "name_taken" };
  const known = new Set(before?.machineIds);
  for (const [index, machineId] of machineIds.entries()) {
    if (!known.has(machineId) && storage.readMember(machineId) === null) {
      return { code: "member_not_found", index, machineId };
    }
  }
  return kind === "route" ? findPrefixRefusal(announcements, settings, wanted) : null;
}

function findPrefixRefusal(
  announcements: RefusalParts["announcements"],
  { cidr, cidr6 }: MeshSettings,
  { id, prefixes, allowsDefaultRoute }: AnnouncementRecord,
): AnnouncementRefusal | null {
  for (const [index, prefix] of prefixes.entries()) {
    if (isDefaultRoute(prefix)) {
      // It holds every network, and every network of a mesh is longer and so wins.
      if (!allowsDefaultRoute) return { code: "default_route_not_allowed", index, prefix };
    } else {
      const overlapped = [cidr, cidr6].find((network) => isPrefixOverlapping(prefix, network));
      if (overlapped !== undefined) return { code: "cidr_overlap", index, prefix, cidr: overlapped };
    }
    const holder = announcements.findByPrefix(prefix);
    if (holder !== null && holder.id !== id) {
      return { code: "prefix_taken", index, prefix, holderName: holder.name };
    }
  }
  return null;
}
