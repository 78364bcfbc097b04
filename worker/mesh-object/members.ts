// Changes of a mesh's membership. Each function is one transaction: rows, address, revision and outbox together, or nothing.
import { parseIpv4Cidr, renderIpv4, toIpv4Number, toMeshIpv6 } from "#schema/address";
import type { MeshSettings } from "#schema/desired-state";
import { type MachineId, renderUlid } from "#schema/ids";
import { ADDRESS_QUARANTINE_MS } from "#schema/limits";
import { hostCount } from "#schema/mesh";
import { err, ok, type Result } from "#schema/result";
import type { Cause } from "../outbox/cause.ts";
import type { Notice, Projection } from "../outbox/entries.ts";
import type { Outbox } from "../outbox/outbox.ts";
import { type AddressPool, type AddressStorage, createAddressPool, fillAddressPool } from "./addresses/addresses.ts";
import type { AnnouncementStorage } from "./announcements/announcement-storage.ts";
import type { CheckStates } from "./announcements/check-states.ts";
import { releaseMember } from "./announcements/release-member.ts";
import { toAuditEntry } from "./audit-entry.ts";
import { settleGateways } from "./reflector-mode.ts";
import { bury, toNextRevision } from "./revisions.ts";
import type { AddedMember, AddMemberError, AddMemberRequest } from "./rpc.ts";
import { isVisible, type MemberRecord, type MeshRecord, type MeshStorage } from "./storage.ts";

export interface MeshParts {
  readonly storage: MeshStorage;
  readonly addresses: AddressStorage;
  readonly announcements: AnnouncementStorage;
  readonly checkStates: CheckStates;
  readonly outbox: Pick<Outbox<Projection>, "enqueue" | "maxEntries">;
  readonly notices: Pick<Outbox<Notice>, "enqueue" | "maxEntries">;
  /** Milliseconds since the epoch; null when the state was never restored from a backup. */
  readonly restoredAt: number | null;
  readonly randomBytes: (count: number) => Uint8Array;
}

type NoMesh = { readonly code: "mesh_not_found" };

/** The mesh, unless it was never made, is being deleted, or is gone. */
export function readOpenMesh(storage: MeshStorage): MeshRecord | null {
  const mesh = storage.readMesh();
  return mesh?.closedAt === null ? mesh : null;
}

export function initialiseMesh({ storage, addresses, randomBytes }: MeshParts, settings: MeshSettings, nowMs: number) {
  const existing = storage.readMesh();
  if (existing !== null) {
    if (existing.settings.id === settings.id && existing.settings.cidr === settings.cidr) return;
    throw new Error("this object holds another mesh already");
  }
  storage.insertMesh({
    settings,
    epoch: renderUlid(nowMs, randomBytes(16)),
    revision: 1,
    visibleRevision: 1,
    settingsRevision: 1,
    forgottenRevision: 0,
    tombstoneCount: 0,
    memberCount: 0,
    closedAt: null,
  });
  fillAddressPool(addresses, hostCount(settings.cidr));
}

export function addMember(
  parts: MeshParts,
  request: AddMemberRequest,
  nowMs: number,
): Result<AddedMember, AddMemberError> {
  const { storage, outbox } = parts;
  const mesh = readOpenMesh(storage);
  if (mesh === null) return err({ code: "mesh_not_found" });
  const existing = storage.readMember(request.machineId);
  if (existing !== null) return ok(toAddedMember(mesh, existing, false));

  const pool = createAddressPool(parts.addresses, hostCount(mesh.settings.cidr));
  const host =
    request.address === null
      ? allocate(parts, pool, nowMs)
      : pool.allocateRequested(toIpv4Number(request.address) - firstOf(mesh.settings), nowMs);
  if (!host.ok) return err({ code: host.error });

  const next = toNextRevision(mesh, { isVisible: false });
  const member = toNewMember(mesh.settings, { request, host: host.value, revision: next.revision, nowMs });
  storage.insertMember(member);
  const memberCount = mesh.memberCount + 1;
  storage.writeMesh({ ...next, memberCount });
  const { machineId, address, address6, revision, joinedAt } = member;
  outbox.enqueue(
    [
      {
        type: "membership",
        row: { meshId: mesh.settings.id, machineId, address, address6, revision, joinedAt },
        memberCount,
      },
      toAuditEvent(parts, { action: "member.added", mesh, member, cause: request.cause, nowMs }),
      ...(member.isGateway ? settleGateways(parts, next, nowMs).projections : []),
    ],
    nowMs,
  );
  return ok(toAddedMember(mesh, member, true));
}

/** False when it was no member. */
export function removeMember(
  parts: MeshParts,
  { machineId, cause }: { machineId: MachineId; cause: Cause },
  nowMs: number,
): Result<boolean, NoMesh> {
  const { storage, outbox } = parts;
  const mesh = readOpenMesh(storage);
  if (mesh === null) return err({ code: "mesh_not_found" });
  const member = storage.readMember(machineId);
  if (member === null) return ok(false);

  storage.deleteMember(machineId);
  createAddressPool(parts.addresses, hostCount(mesh.settings.cidr)).release(member.host, nowMs);
  const released = releaseMember(parts.announcements, machineId, mesh.revision + 1);
  parts.checkStates.forget(machineId);
  const next = toNextRevision(mesh, { isVisible: isVisible(member) || released.isSeen });
  const buried = isVisible(member) ? bury(storage, next, { kind: "member", id: machineId }) : next;
  const memberCount = mesh.memberCount - 1;
  const left = { ...buried, memberCount };
  const settled = member.isGateway ? settleGateways(parts, left, nowMs) : { mesh: left, projections: [] };
  storage.writeMesh(settled.mesh);
  outbox.enqueue(
    [
      { type: "membership_removed", meshId: mesh.settings.id, machineId, revision: next.revision, memberCount },
      toAuditEvent(parts, { action: "member.removed", mesh, member, released: released.ids, cause, nowMs }),
      ...settled.projections,
    ],
    nowMs,
  );
  return ok(true);
}

export function renameMember({ storage }: MeshParts, machineId: MachineId, name: string): void {
  updateMember(storage, machineId, { name });
}

/** In a transaction of the caller's. */
export function setMemberGateway(
  parts: MeshParts,
  { machineId, isGateway }: { machineId: MachineId; isGateway: boolean },
  nowMs: number,
): void {
  const { storage, outbox } = parts;
  const updated = updateMember(storage, machineId, { isGateway });
  const mesh = readOpenMesh(storage);
  if (mesh === null || !updated.ok || !updated.value) return;
  const settled = settleGateways(parts, mesh, nowMs);
  if (settled.mesh !== mesh) storage.writeMesh(settled.mesh);
  outbox.enqueue(settled.projections, nowMs);
}

export type MemberChange = Partial<
  Pick<
    MemberRecord,
    "name" | "publicKey" | "keySince" | "candidates" | "deviceEpoch" | "nat" | "answersChecks" | "isGateway"
  >
>;

/** `keySince` counts with another key only. What equals the stored writes nothing; `value` is then false, and also when it is no member. */
export function updateMember(
  storage: MeshStorage,
  machineId: MachineId,
  change: MemberChange,
): Result<boolean, "key_taken"> {
  const mesh = readOpenMesh(storage);
  // First the mesh: where there is none, there is no table of members either.
  if (mesh === null) return ok(false);
  const member = storage.readMember(machineId);
  if (member === null) return ok(false);
  const changed: MemberRecord = { ...member, ...change };
  if (isSameMember(changed, member)) return ok(false);
  const { publicKey } = changed;
  const isKeyNew = publicKey !== null && publicKey !== member.publicKey;
  if (isKeyNew && storage.hasKey(publicKey)) return err("key_taken");
  const { keySince } = isKeyNew ? changed : member;
  const next = toNextRevision(mesh, { isVisible: isVisible(changed) });
  storage.transaction(() => {
    storage.writeMember({ ...changed, keySince, revision: next.revision });
    storage.writeMesh(next);
  });
  return ok(true);
}

/** Ends the mesh: nobody is a member from here on, D1 and the Machine objects are told through the outboxes. */
export function closeMesh({ storage, outbox, notices }: MeshParts, nowMs: number): { memberCount: number } {
  const mesh = storage.readMesh();
  if (mesh === null) return { memberCount: 0 };
  if (mesh.closedAt !== null) return { memberCount: mesh.memberCount };
  const next = toNextRevision(mesh, { isVisible: true });
  const meshId = mesh.settings.id;
  const machineIds = storage.readMemberIds();
  const { revision } = next;
  for (const some of toChunks(machineIds, outbox.maxEntries)) {
    const removals = some.map((machineId) => ({ type: "membership_removed" as const, meshId, machineId, revision }));
    outbox.enqueue(removals, nowMs);
  }
  for (const some of toChunks(machineIds, notices.maxEntries)) {
    const leavers = some.map((machineId) => ({ machineId, meshId }));
    notices.enqueue(leavers, nowMs);
  }
  storage.writeMesh({ ...next, closedAt: nowMs });
  return { memberCount: mesh.memberCount };
}

/**
 * A state that was restored does not know to whom addresses were given after its backup: those were the lowest free ones. They are treated like
 * addresses of members that left when it was restored, by taking from the other end for as long as that quarantine is.
 */
function allocate(
  { restoredAt }: MeshParts,
  pool: AddressPool,
  nowMs: number,
): Result<number, "address_pool_exhausted"> {
  const isSoonAfterRestore = restoredAt !== null && nowMs < restoredAt + ADDRESS_QUARANTINE_MS;
  const host = isSoonAfterRestore ? pool.allocateHighest(nowMs) : pool.allocateLowest(nowMs);
  return host === null ? err("address_pool_exhausted") : ok(host);
}

function toNewMember(
  settings: MeshSettings,
  { request, host, revision, nowMs }: { request: AddMemberRequest; host: number; revision: number; nowMs: number },
): MemberRecord {
  return {
    machineId: request.machineId,
    name: request.name,
    host,
    address: renderIpv4(firstOf(settings) + host),
    address6: toMeshIpv6(settings.cidr6, host),
    publicKey: null,
    keySince: null,
    candidates: [],
    deviceEpoch: null,
    nat: null,
    answersChecks: true,
    isGateway: request.isGateway,
    revision,
    joinedAt: nowMs,
    lastSeenAt: null,
  };
}

function toAuditEvent(
  parts: MeshParts,
  about: {
    action: "member.added" | "member.removed";
    mesh: MeshRecord;
    member: MemberRecord;
    released?: readonly string[];
    cause: Cause;
    nowMs: number;
  },
): Projection {
  const { action, mesh, member, released = [], cause, nowMs } = about;
  const { name: machineName, address, address6 } = member;
  const details = { machineName, address, address6, ...(released.length === 0 ? {} : { announcementIds: released }) };
  return toAuditEntry(parts, mesh, { action, subjectId: member.machineId, details, cause, nowMs });
}

const toAddedMember = (mesh: MeshRecord, { address, address6 }: MemberRecord, isNew: boolean): AddedMember => ({
  meshId: mesh.settings.id,
  meshName: mesh.settings.name,
  address,
  address6,
  isNew,
});

function* toChunks<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let index = 0; index < items.length; index += size) yield items.slice(index, index + size);
}

const firstOf = (settings: MeshSettings): number => parseIpv4Cidr(settings.cidr)?.first ?? 0;

const isSameMember = (a: MemberRecord, b: MemberRecord): boolean =>
  a.name === b.name &&
  a.publicKey === b.publicKey &&
  a.deviceEpoch === b.deviceEpoch &&
  a.answersChecks === b.answersChecks &&
  a.isGateway === b.isGateway &&
  // Both are as the schema orders them.
  JSON.stringify(a.nat) === JSON.stringify(b.nat) &&
  toCandidateSet(a) === toCandidateSet(b);

// The order of candidates says nothing: a machine that lists its interfaces in another order has not changed.
const toCandidateSet = ({ candidates }: MemberRecord): string =>
  [...new Set(candidates.map(({ type, endpoint }) => `${type} ${endpoint}`))].sort().join("\n");
