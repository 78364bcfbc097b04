// A route or a VIP as its mesh keeps it, and what of it members are told. Pure.
import type { AnnouncementRow, Duty } from "#schema/desired-state";
import type { HealthCheck } from "#schema/health-check";
import type { MachineId, RouteId, VipId } from "#schema/ids";
import type { Prefix } from "#schema/prefix";

export interface AnnouncementRecord {
  readonly id: RouteId | VipId;
  readonly kind: AnnouncementKind;
  readonly name: string;
  /** Of a VIP: its IPv4 and its IPv6 address, in this order, each as a prefix of one host. */
  readonly prefixes: readonly Prefix[];
  readonly machineIds: readonly MachineId[];
  readonly isEnabled: boolean;
  readonly isMasquerading: boolean;
  readonly allowsDefaultRoute: boolean;
  readonly healthCheck: HealthCheck | null;
  readonly createdAt: number;
  /** Of the last change of its row; 0: members were never told of it. */
  readonly revision: number;
}
export type AnnouncementKind = "route" | "vip";

/** Who may announce what. Null, disabled or without machines: nobody. */
export function toRow(id: AnnouncementRecord["id"], record: AnnouncementRecord | null): AnnouncementRow {
  if (!isEffective(record)) return { id, prefixes: [], machineIds: [] };
  return { id, prefixes: [...record.prefixes], machineIds: [...record.machineIds] };
}

export const isEffective = (record: AnnouncementRecord | null): record is AnnouncementRecord =>
  record?.isEnabled === true && record.machineIds.length > 0;

/** What a machine that announces it has to know beyond its row; nobody else is told. */
export const toDuty = ({ id, kind, isMasquerading, healthCheck }: AnnouncementRecord): Duty => ({
  id,
  isVip: kind === "vip",
  isMasquerading,
  healthCheck,
});

export const isRowChanged = (before: AnnouncementRecord | null, after: AnnouncementRecord | null): boolean => {
  const id = (before ?? after)?.id;
  return id !== undefined && JSON.stringify(toRow(id, before)) !== JSON.stringify(toRow(id, after));
};

/** Whose duties change. */
export function listDutyChanges(before: AnnouncementRecord | null, after: AnnouncementRecord | null): MachineId[] {
  const [old, fresh] = [before, after].map((record) => (isEffective(record) ? record : null));
  const isSame = old != null && fresh != null && JSON.stringify(toDuty(old)) === JSON.stringify(toDuty(fresh));
  const machineIds = new Set([...(old?.machineIds ?? []), ...(fresh?.machineIds ?? [])]);
  if (!isSame) return [...machineIds];
  return [...machineIds].filter((id) => old.machineIds.includes(id) !== fresh.machineIds.includes(id));
}
