// What a member is missing, and the text that tells it. Pure.
import type { z } from "zod";
import type { AnnouncementRow, Duty, MeshSettings, PeerRow } from "#schema/desired-state";
import type { MachineId } from "#schema/ids";
import type { Policies } from "#schema/policy";
import type { SyncPosition, SyncSnapshot } from "#schema/wire/messages";
import { type AnnouncementRecord, isEffective, toDuty, toRow } from "../announcements/announcement.ts";
import type { AnnouncementStorage } from "../announcements/announcement-storage.ts";
import { type PolicyStorage, renderPolicies } from "../policies/policy-storage.ts";
import type { MeshRecord, MeshStorage, VisibleMember } from "../storage.ts";

/** How far somebody has come. */
export interface Position {
  readonly epoch: string;
  readonly revision: number;
}

/** Changes can be told on top of this position; else only a snapshot helps: unknown, of another epoch, ahead of us, or too old. */
export function isResumable(mesh: MeshRecord, position: Position | null): position is Position {
  return (
    position !== null &&
    position.epoch === mesh.epoch &&
    position.revision >= mesh.forgottenRevision &&
    position.revision <= mesh.revision
  );
}

/** Everything that changed after `since`, each row made into text once, however many members it goes to. */
export interface Delta {
  readonly epoch: string;
  readonly revision: number;
  readonly settings: { readonly revision: number; readonly text: string } | null;
  readonly changed: readonly { readonly revision: number; readonly text: string }[];
  readonly removed: readonly { readonly revision: number; readonly id: string }[];
  readonly announcements: readonly { readonly revision: number; readonly text: string }[];
  /** Each for one member: its duties and policies, when one of them changed. */
  readonly own: ReadonlyMap<MachineId, { readonly revision: number; readonly text: string }>;
}

export interface SyncStorage {
  readonly storage: Pick<MeshStorage, "readVisibleSince" | "readTombstonesSince">;
  readonly announcements: Pick<AnnouncementStorage, "listSince" | "listOf" | "listDutiesSince">;
  readonly policies: Pick<PolicyStorage, "readOf">;
}

export function readDelta({ storage, announcements, policies }: SyncStorage, mesh: MeshRecord, since: number): Delta {
  const members = storage.readVisibleSince(since);
  const visible = new Set<string>(members.map((member) => member.machineId));
  const tombstones = storage.readTombstonesSince(since);
  const withdrawn = tombstones.filter(({ kind }) => kind === "announcement");
  const changedDuties = announcements.listDutiesSince(since);
  return {
    epoch: mesh.epoch,
    revision: mesh.revision,
    settings:
      mesh.settingsRevision > since
        ? { revision: mesh.settingsRevision, text: JSON.stringify(mesh.settings satisfies MeshSettings) }
        : null,
    changed: members.map((member) => ({ revision: member.revision, text: JSON.stringify(toPeerRow(member)) })),
    // Who left and came back is among the changed: its later row is what counts.
    removed: tombstones.filter(({ kind, id }) => kind === "member" && !visible.has(id)),
    announcements: [
      ...announcements.listSince(since).map((record) => ({ revision: record.revision, row: toRow(record.id, record) })),
      ...withdrawn.map(({ revision, id }) => ({ revision, row: { id, prefixes: [], machineIds: [] } })),
    ].map(({ revision, row }) => ({ revision, text: JSON.stringify(row) })),
    own: new Map(
      changedDuties.map(({ machineId, revision }) => [
        machineId,
        { revision, text: renderOwn(announcements.listOf(machineId), policies.readOf(machineId)) },
      ]),
    ),
  };
}

/** A `sync.changes` on top of `since`, which is not older than what the delta was read from. */
export function renderChanges(delta: Delta, since: number): string {
  const settings = delta.settings !== null && delta.settings.revision > since ? `"mesh":${delta.settings.text},` : "";
  const changed = delta.changed.filter(({ revision }) => revision > since).map(({ text }) => text);
  const removed = delta.removed.filter(({ revision }) => revision > since).map(({ id }) => id);
  const rows = delta.announcements.filter(({ revision }) => revision > since).map(({ text }) => text);
  const announcements = rows.length === 0 ? "" : `,"announcements":[${rows.join(",")}]`;
  return (
    `{"type":"sync.changes","epoch":${JSON.stringify(delta.epoch)},"revision":${delta.revision},"since":${since},` +
    `${settings}"changed":[${changed.join(",")}],"removed":${JSON.stringify([...new Set(removed)])}${announcements}}`
  );
}

/** The fields of a message that are for one member only. Without policies, duties say that it has none. */
export function renderOwn(announcements: readonly AnnouncementRecord[], policies: Policies): string {
  const duties = JSON.stringify(announcements.filter(isEffective).map(toDuty) satisfies Duty[]);
  const text = renderPolicies(policies);
  return `"duties":${duties}${text === null ? "" : `,"policies":${text}`}`;
}

/** A text that is the same for all, with what is for one member only. */
export const withOwn = (text: string, own: string): string => `${text.slice(0, -1)},${own}}`;

export function renderSnapshot(
  mesh: MeshRecord,
  members: readonly VisibleMember[],
  announcements: readonly AnnouncementRecord[],
): string {
  const rows: AnnouncementRow[] = announcements.filter(isEffective).map((record) => toRow(record.id, record));
  const snapshot: z.input<typeof SyncSnapshot> = {
    type: "sync.snapshot",
    epoch: mesh.epoch,
    revision: mesh.revision,
    mesh: mesh.settings,
    members: members.map(toPeerRow),
    ...(rows.length === 0 ? {} : { announcements: rows }),
  };
  return JSON.stringify(snapshot);
}

export function renderPosition({ epoch, revision }: Position): string {
  return JSON.stringify({ type: "sync.position", epoch, revision } satisfies SyncPosition);
}

/** What is as the schema's default says is left out: every byte goes to every member. */
function toPeerRow(member: VisibleMember): z.input<typeof PeerRow> {
  const { machineId, name, address, address6, publicKey, keySince, candidates, deviceEpoch, nat } = member;
  return {
    ...{ machineId, name, address, address6, publicKey, candidates: [...candidates] },
    ...(keySince === null ? {} : { keySinceMs: keySince }),
    ...(deviceEpoch === null ? {} : { deviceEpoch }),
    ...(nat === null ? {} : { nat }),
    ...(member.answersChecks ? {} : { answersChecks: false }),
    ...(member.isGateway ? { isGateway: true } : {}),
  };
}
