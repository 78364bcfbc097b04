// Changes of a mesh's routes and VIPs. Each function is one transaction: record, address, revision, tombstone and outbox together, or nothing.
import { type Ipv4, parseIpv4Cidr, toIpv4Number, toMeshIpv6 } from "#schema/address";
import type { AuditAction } from "#schema/api/audit-events";
import type { MeshSettings } from "#schema/desired-state";
import { hostCount } from "#schema/mesh";
import { Prefix } from "#schema/prefix";
import { err, ok, type Result } from "#schema/result";
import type { Cause } from "../../outbox/cause.ts";
import type { Projection } from "../../outbox/entries.ts";
import { createAddressPool } from "../addresses/addresses.ts";
import { toAuditEntry } from "../audit-entry.ts";
import { type MeshParts, readOpenMesh } from "../members.ts";
import { bury, toNextRevision } from "../revisions.ts";
import type { MeshRecord } from "../storage.ts";
import { type AnnouncementKind, type AnnouncementRecord, isRowChanged, listDutyChanges } from "./announcement.ts";
import { type AnnouncementRefusal, findRefusal } from "./find-refusal.ts";

/** What people say of it. A route has prefixes, a VIP has an address. */
export type AnnouncementFields = Pick<AnnouncementRecord, "name" | "machineIds" | "isEnabled" | "healthCheck"> &
  Partial<Pick<AnnouncementRecord, "prefixes" | "isMasquerading" | "allowsDefaultRoute">> & {
    readonly address?: Ipv4;
  };
export interface NewAnnouncement {
  readonly id: AnnouncementRecord["id"];
  readonly kind: AnnouncementKind;
  readonly fields: AnnouncementFields;
  readonly cause: Cause;
}
export interface AnnouncementChange {
  readonly id: AnnouncementRecord["id"];
  /** What is left out stays. */
  readonly fields: Partial<AnnouncementFields>;
  readonly cause: Cause;
}
export type NoAnnouncement = { readonly code: "mesh_not_found" | "announcement_not_found" };
export type AnnouncementError = AnnouncementRefusal | NoAnnouncement;

/** Creating what is there already, by its id, answers what it is. */
export function createAnnouncement(
  parts: MeshParts,
  { id, kind, fields, cause }: NewAnnouncement,
  nowMs: number,
): Result<AnnouncementRecord, AnnouncementError> {
  const mesh = readOpenMesh(parts.storage);
  if (mesh === null) return err({ code: "mesh_not_found" });
  const existing = parts.announcements.read(id);
  if (existing !== null) return ok(existing);
  const { address, ...others } = fields;
  const wanted: AnnouncementRecord = {
    ...{ id, kind, prefixes: [], isMasquerading: false, allowsDefaultRoute: false, createdAt: nowMs, revision: 0 },
    ...others,
    ...(address === undefined ? {} : { prefixes: toVipPrefixes(mesh.settings, address) }),
  };
  const refusal =
    findRefusal(parts, mesh.settings, { before: null, wanted }) ?? moveAddress(parts, mesh, { wanted, nowMs });
  if (refusal !== null) return err(refusal);
  const details = toDetails(fields);
  return ok(store(parts, mesh, { before: null, after: wanted, details, cause, nowMs }));
}

/** What equals the stored writes nothing. */
export function updateAnnouncement(
  parts: MeshParts,
  { id, fields, cause }: AnnouncementChange,
  nowMs: number,
): Result<AnnouncementRecord, AnnouncementError> {
  const mesh = readOpenMesh(parts.storage);
  if (mesh === null) return err({ code: "mesh_not_found" });
  const before = parts.announcements.read(id);
  if (before === null) return err({ code: "announcement_not_found" });
  const { address, ...others } = fields;
  const wanted: AnnouncementRecord = {
    ...before,
    ...others,
    ...(address === undefined ? {} : { prefixes: toVipPrefixes(mesh.settings, address) }),
  };
  if (JSON.stringify(wanted) === JSON.stringify(before)) return ok(before);
  const refusal =
    findRefusal(parts, mesh.settings, { before, wanted }) ?? moveAddress(parts, mesh, { before, wanted, nowMs });
  if (refusal !== null) return err(refusal);
  const details = toDetails(pickChanged(before, fields));
  return ok(store(parts, mesh, { before, after: wanted, details, cause, nowMs }));
}

export function deleteAnnouncement(
  parts: MeshParts,
  { id, cause }: { readonly id: AnnouncementRecord["id"]; readonly cause: Cause },
  nowMs: number,
): Result<null, NoAnnouncement> {
  const mesh = readOpenMesh(parts.storage);
  if (mesh === null) return err({ code: "mesh_not_found" });
  const before = parts.announcements.read(id);
  if (before === null) return err({ code: "announcement_not_found" });
  moveAddress(parts, mesh, { before, nowMs });
  parts.checkStates.forgetAnnouncement(id);
  store(parts, mesh, { before, after: null, details: { name: before.name, prefixes: before.prefixes }, cause, nowMs });
  return ok(null);
}

interface Stored {
  readonly before: AnnouncementRecord | null;
  readonly after: AnnouncementRecord | null;
  readonly details: Readonly<Record<string, unknown>>;
  readonly cause: Cause;
  readonly nowMs: number;
}

/** What is kept afterwards. */
function store<Change extends Stored>(parts: MeshParts, mesh: MeshRecord, change: Change): Change["after"] {
  const { storage, announcements, outbox } = parts;
  const { before, after, nowMs } = change;
  const isChanged = isRowChanged(before, after);
  const dutyChanges = listDutyChanges(before, after);
  const next = toNextRevision(mesh, { isVisible: isChanged || dutyChanges.length > 0 });
  const record = after === null || !isChanged ? after : { ...after, revision: next.revision };
  announcements.replace(before, record);
  for (const machineId of dutyChanges) announcements.writeDutyRevision(machineId, next.revision);
  // Who was last told of it before it went has to hear that it went, whatever it was at the end.
  const isBuried = before !== null && after === null && before.revision > 0;
  storage.writeMesh(isBuried ? bury(storage, next, { kind: "announcement", id: before.id }) : next);
  outbox.enqueue(toEntries(parts, next, change), nowMs);
  return record;
}

function toEntries(parts: MeshParts, mesh: MeshRecord, { before, after, details, cause, nowMs }: Stored): Projection[] {
  const subject = before ?? after;
  if (subject === null) return [];
  const verb = before === null ? "created" : after === null ? "deleted" : "updated";
  const action: AuditAction = `${subject.kind}.${verb}`;
  const event = toAuditEntry(parts, mesh, { action, subjectId: subject.id, details, cause, nowMs });
  if (subject.kind !== "vip" || verb === "updated") return [event];
  const vipCount = parts.announcements.count("vip");
  return [event, { type: "vip_count", meshId: mesh.settings.id, vipCount, revision: mesh.revision }];
}

/** Takes the VIP's new address from the pool and gives the old one back; nothing is done when it is refused. */
function moveAddress(
  { addresses }: MeshParts,
  { settings }: MeshRecord,
  move: {
    readonly before?: AnnouncementRecord;
    readonly wanted?: AnnouncementRecord;
    readonly nowMs: number;
  },
): AnnouncementRefusal | null {
  const { before, wanted, nowMs } = move;
  if ((wanted ?? before)?.kind !== "vip" || wanted?.prefixes[0] === before?.prefixes[0]) return null;
  const pool = createAddressPool(addresses, hostCount(settings.cidr));
  if (wanted !== undefined) {
    const reserved = pool.reserve(toHost(settings, toVipAddress(wanted)), nowMs);
    if (!reserved.ok) return { code: reserved.error };
  }
  if (before !== undefined) pool.release(toHost(settings, toVipAddress(before)), nowMs);
  return null;
}

export const toVipAddress = ({ prefixes }: Pick<AnnouncementRecord, "prefixes">): string =>
  prefixes[0]?.split("/")[0] ?? "";

/** An address outside the mesh has no IPv6 twin; the pool refuses it. */
function toVipPrefixes(settings: MeshSettings, address: Ipv4): Prefix[] {
  const host = toHost(settings, address);
  const isInMesh = host >= 1 && host <= hostCount(settings.cidr);
  return [`${address}/32`, ...(isInMesh ? [`${toMeshIpv6(settings.cidr6, host)}/128`] : [])].map((text) =>
    Prefix.parse(text),
  );
}

const toHost = ({ cidr }: MeshSettings, address: string): number =>
  toIpv4Number(address) - (parseIpv4Cidr(cidr)?.first ?? 0);

function pickChanged(before: AnnouncementRecord, fields: Partial<AnnouncementFields>): Partial<AnnouncementFields> {
  const known: Partial<AnnouncementFields> = { ...before, address: toVipAddress(before) as Ipv4 };
  const isChanged = ([name, value]: [string, unknown]) =>
    JSON.stringify(value) !== JSON.stringify(known[name as keyof AnnouncementFields]);
  return Object.fromEntries(Object.entries(fields).filter(isChanged));
}

/** In the API's own words. The check is shown with its command: that runs as root. */
function toDetails({ isEnabled, ...others }: Partial<AnnouncementFields>): Record<string, unknown> {
  return { ...others, ...(isEnabled === undefined ? {} : { enabled: isEnabled }) };
}
