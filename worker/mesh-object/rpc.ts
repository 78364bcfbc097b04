// What the Mesh object offers to the Worker and to Machine objects. All calls are idempotent, so a caller that lost the answer repeats the call.
import type { Ipv4, Ipv6 } from "#schema/address";
import type { LinkEvent } from "#schema/api/machine-links";
import type { MachineAnnouncement } from "#schema/api/machine-routing";
import type { RibRoute } from "#schema/bgp";
import type { MeshSettings } from "#schema/desired-state";
import type { MachineId, MeshId } from "#schema/ids";
import type { Member } from "#schema/machine";
import type { Fallback, KeyRotationDays } from "#schema/mesh";
import type { NatReport } from "#schema/nat";
import type { ObservedEndpoint, PeerExplanation } from "#schema/path";
import type { Prefix } from "#schema/prefix";
import type { Result } from "#schema/result";
import type { MeshRouting } from "../db/projections.ts";
import type { Cause } from "../outbox/cause.ts";
import type { AnnouncementKind, AnnouncementRecord } from "./announcements/announcement.ts";
import type { AnnouncementView } from "./announcements/announcement-view.ts";
import type {
  AnnouncementChange,
  AnnouncementError,
  NewAnnouncement,
  NoAnnouncement,
} from "./announcements/change-announcements.ts";
import type { IndirectPath } from "./links/indirect-links.ts";
import type { Grant } from "./live/live.ts";

export interface MeshObjectRpc {
  /** Makes the mesh; the same settings again change nothing. */
  initialise(settings: MeshSettings): Promise<void>;
  /** What is left out stays. */
  changeSettings(change: SettingsChange): Promise<Result<MeshRouting, SettingsError>>;
  /** Adding a member again answers what it has. Durable (and in the outbox, with its audit event) when answered. */
  addMember(request: AddMemberRequest): Promise<Result<AddedMember, AddMemberError>>;
  /** `value` is false when it was no member. Its socket is closed and every connected member is told at once. */
  removeMember(machineId: MachineId, cause: Cause): Promise<Result<boolean, { code: "mesh_not_found" }>>;
  renameMember(machineId: MachineId, name: string): Promise<void>;
  setMemberGateway(machineId: MachineId, isGateway: boolean): Promise<void>;
  /** Members in order of their machine ids, after `after`. */
  listMembers(page: { after: MachineId | null; limit: number }): Promise<Result<Member[], { code: "mesh_not_found" }>>;
  getMember(machineId: MachineId): Promise<Result<Member, { code: "mesh_not_found" | "member_not_found" }>>;
  /** False when one of these is no member, or there is no mesh. */
  hasMembers(machineIds: readonly MachineId[]): Promise<boolean>;
  /** When each of these members was last seen, milliseconds since the epoch; left out when never. One call per mesh and list page. */
  readPresence(machineIds: readonly MachineId[]): Promise<Record<MachineId, number>>;
  /**
   * What a Relay object verifies this mesh's tickets of this key with, or of the newest; null: it has no such key, no ticket was given out yet,
   * or there is no mesh.
   */
  readRelayKey(keyId?: string | null): Promise<JsonWebKey | null>;
  /** Makes another key for relay tickets. One that was made within the last minute stays; `madeAtMs` is null while there is none. */
  replaceRelayKey(cause: Cause): Promise<Result<{ madeAtMs: number | null }, { code: "mesh_not_found" }>>;
  /** What a scrape is told: of members, only who is online. Null: there is no mesh. */
  readMetrics(): Promise<MeshMetrics | null>;
  /** What the member says of its peers now. Waits for up to `waitMs` while rates are being measured. */
  readTelemetry(machineId: MachineId, options: { waitMs: number }): Promise<Result<MemberTelemetry, TelemetryError>>;
  /** The routes of the member's BIRD: all, or those that contain the prefix or are inside it. */
  readRib(
    machineId: MachineId,
    options: { prefix: Prefix | null; waitMs: number },
  ): Promise<Result<MemberRib, TelemetryError>>;
  /** Newest first, after (and so older than) `before`; null: from the newest on. */
  listLinkEvents(
    machineId: MachineId,
    page: { before: LinkEventPosition | null; limit: number },
  ): Promise<PositionedLinkEvent[]>;
  /** Creating one that is there, by its id, answers what it is. */
  createAnnouncement(announcement: NewAnnouncement): Promise<Result<AnnouncementView, AnnouncementError>>;
  updateAnnouncement(change: AnnouncementChange): Promise<Result<AnnouncementView, AnnouncementError>>;
  deleteAnnouncement(request: Pick<AnnouncementChange, "id" | "cause">): Promise<Result<null, NoAnnouncement>>;
  /** In order of ids, after `after`. */
  listAnnouncements(
    kind: AnnouncementKind,
    page: { after: string | null; limit: number },
  ): Promise<Result<AnnouncementView[], { code: "mesh_not_found" }>>;
  /** Those that this member announces; none where there is no mesh. */
  listAnnouncementsOf(machineId: MachineId): Promise<AnnouncementRecord[]>;
  getAnnouncement(id: AnnouncementRecord["id"]): Promise<Result<AnnouncementView, NoAnnouncement>>;
  /** A change of the policies that it or a member uses is coming to D1: it looks there for itself, also if nobody asks it to. */
  expectPolicies(): Promise<void>;
  /** Looks at once. */
  refreshPolicies(): Promise<void>;
  /** D1 has a change of this mesh, or of a member, that this object did not make: whoever watches asks again. */
  hintLists(): Promise<void>;
  /** Whoever watches with this hears nothing more from here on; what is still good connects again. */
  dismissWatchers(grant: Grant): Promise<void>;
  /** Closes the mesh: members are told `mesh_deleted`, Machine objects are told through the outbox, storage goes when that is done. */
  close(): Promise<{ memberCount: number }>;
  /** WebSocket upgrade, long-poll GET, message POST of an authenticated machine (see TRUSTED_HEADERS). */
  fetch(request: Request): Promise<Response>;
}

export interface AddMemberRequest {
  readonly machineId: MachineId;
  readonly name: string;
  readonly address: Ipv4 | null;
  readonly isGateway: boolean;
  readonly cause: Cause;
}
export interface SettingsChange {
  readonly name?: string;
  readonly fallback?: Fallback;
  readonly routeReflectorMode?: boolean;
  readonly keyRotationDays?: KeyRotationDays;
}
export interface SettingsError {
  /** `gateway_required`: route reflector mode needs a gateway. */
  readonly code: "mesh_not_found" | "gateway_required";
}
export interface MeshMetrics {
  readonly revision: number;
  readonly memberCount: number;
  readonly gatewayCount: number;
  readonly online: readonly MachineId[];
  readonly failingCount: number;
  readonly behindCount: number;
  readonly connections: { readonly websocket: number; readonly longPoll: number };
  readonly watcherCount: number;
  readonly watchedCount: number;
  /** Of members that are online. */
  readonly pairs: Readonly<Record<IndirectPath, number>>;
  readonly routes: AnnouncementCounts;
  readonly vips: AnnouncementCounts;
}
export interface AnnouncementCounts {
  readonly count: number;
  readonly enabledCount: number;
  /** Enabled, and none of its machines is online. */
  readonly unheldCount: number;
}
export interface MemberTelemetry {
  /** When it came, milliseconds since the epoch. */
  readonly receivedAt: number;
  readonly peers: PeerExplanation[];
  readonly endpoints: ObservedEndpoint[];
  readonly nat: NatReport | null;
  readonly announcements: MachineAnnouncement[];
}
export interface MemberRib {
  readonly routes: RibRoute[];
  readonly isTruncated: boolean;
  /** Why there is nothing; null: that is all. */
  readonly problem: string | null;
}
export type TelemetryError = {
  /** `silent`: it is connected and did not answer in time. */
  readonly code: "mesh_not_found" | "member_not_found" | "offline" | "silent";
};
/** Where a link event stands in its mesh: by time, then by number. */
export interface LinkEventPosition {
  readonly at: number;
  readonly number: number;
}
export interface PositionedLinkEvent {
  readonly position: LinkEventPosition;
  /** Without the mesh, which its reader knows. */
  readonly event: Omit<LinkEvent, "meshId">;
}
export interface AddedMember {
  readonly meshId: MeshId;
  readonly meshName: string;
  readonly address: Ipv4;
  readonly address6: Ipv6;
  /** False when it was a member already. */
  readonly isNew: boolean;
}
export type AddMemberError = {
  readonly code: "mesh_not_found" | "address_taken" | "address_outside_mesh" | "address_pool_exhausted";
};
