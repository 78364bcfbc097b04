// A route or a VIP with what is known of its machines. Pure over what the mesh keeps and who is connected.
import type { AnnouncerHealth } from "#schema/announcement-state";
import type { MachineId } from "#schema/ids";
import { ONLINE_WITHIN_MS } from "#schema/limits";
import type { PolicyStorage } from "../policies/policy-storage.ts";
import type { MeshStorage } from "../storage.ts";
import type { AnnouncementRecord } from "./announcement.ts";
import type { CheckStates, KeptCheck } from "./check-states.ts";
import { findHolder } from "./find-holder.ts";

export interface AnnouncementView extends AnnouncementRecord {
  readonly heldBy: MachineId | null;
  readonly announcers: readonly AnnouncerHealth[];
}

export interface ViewParts {
  readonly storage: Pick<MeshStorage, "readMember">;
  readonly checkStates: Pick<CheckStates, "of">;
  readonly policies: Pick<PolicyStorage, "readOf">;
  /** Whether its agent is connected; without that nobody knows how its checks are. */
  readonly isOnline: (machineId: MachineId) => boolean;
  readonly nowMs: number;
}

/** Of a thousand routes with the same machines, each machine is looked up once. */
export function toAnnouncementViews(parts: ViewParts, records: readonly AnnouncementRecord[]): AnnouncementView[] {
  const { storage, checkStates, policies, isOnline, nowMs } = parts;
  const once: ViewParts = {
    storage: { readMember: remember((machineId) => storage.readMember(machineId)) },
    checkStates: { of: remember((machineId) => checkStates.of(machineId)) },
    policies: { readOf: remember((machineId) => policies.readOf(machineId)) },
    isOnline: remember(isOnline),
    nowMs,
  };
  return records.map((record) => toView(once, record));
}

function remember<T>(read: (machineId: MachineId) => T): (machineId: MachineId) => T {
  const known = new Map<MachineId, { readonly value: T }>();
  return (machineId) => {
    const found = known.get(machineId) ?? { value: read(machineId) };
    known.set(machineId, found);
    return found.value;
  };
}

function toView(parts: ViewParts, record: AnnouncementRecord): AnnouncementView {
  if (!record.isEnabled) return { ...record, heldBy: null, announcers: [] };
  const announcers = record.machineIds.map((machineId) => {
    if (!parts.isOnline(machineId)) return toAbsent(parts, machineId);
    if (record.healthCheck === null) return { machineId, state: "unchecked" as const, since: null, text: null };
    return toChecked(machineId, parts.checkStates.of(machineId).get(record.id) ?? null);
  });
  return { ...record, heldBy: findHolderOf(parts, record, announcers), announcers };
}

function findHolderOf(
  { storage, policies }: ViewParts,
  { prefixes: [prefix] }: AnnouncementRecord,
  announcers: readonly AnnouncerHealth[],
): MachineId | null {
  if (prefix === undefined) return null;
  const announcing = announcers.filter(({ state }) => state === "healthy" || state === "unchecked");
  const candidates = announcing.flatMap(({ machineId }) => {
    const member = storage.readMember(machineId);
    return member === null ? [] : [{ machineId, host: member.host, exportPolicy: policies.readOf(machineId).export }];
  });
  return findHolder(candidates, prefix);
}

/** Whatever it told last, it may be otherwise by now. */
function toAbsent({ storage, nowMs }: ViewParts, machineId: MachineId): AnnouncerHealth {
  const lastSeenAt = storage.readMember(machineId)?.lastSeenAt ?? null;
  const isRecent = lastSeenAt !== null && nowMs - lastSeenAt <= ONLINE_WITHIN_MS;
  return { machineId, state: isRecent ? "unknown" : "offline", since: null, text: null };
}

function toChecked(machineId: MachineId, check: KeptCheck | null): AnnouncerHealth {
  if (check === null) return { machineId, state: "unknown", since: null, text: null };
  const { status, sinceMs, text } = check;
  const state = status === "unhealthy" ? "failing" : status;
  return { machineId, state, since: new Date(sinceMs).toISOString(), text };
}
