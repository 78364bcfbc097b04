// One mesh: the single writer of its members, addresses, keys and revisions. This class decodes, calls, stores and sends; what happens is
// decided in the files beside it.
import { DurableObject } from "cloudflare:workers";
import type { MeshSettings } from "#schema/desired-state";
import type { MachineId } from "#schema/ids";
import type { Member } from "#schema/machine";
import type { Prefix } from "#schema/prefix";
import { err, ok, type Result } from "#schema/result";
import type { MeshLeft } from "#schema/wire/messages";
import { TRUSTED_HEADERS } from "../auth/trusted-headers.ts";
import type { MeshRouting } from "../db/projections.ts";
import { createAgentHandler } from "../durable/agent-endpoint.ts";
import { guardFrame } from "../durable/guard-frame.ts";
import type { Env } from "../env.ts";
import type { Cause } from "../outbox/cause.ts";
import type { AnnouncementKind, AnnouncementRecord } from "./announcements/announcement.ts";
import type { AnnouncementView } from "./announcements/announcement-view.ts";
import {
  type AnnouncementChange,
  type AnnouncementError,
  createAnnouncement,
  deleteAnnouncement,
  type NewAnnouncement,
  type NoAnnouncement,
  updateAnnouncement,
} from "./announcements/change-announcements.ts";
import { changeSettings } from "./change-settings.ts";
import { createMesh, type MeshServices } from "./create-mesh.ts";
import { createDelivery, type Delivery } from "./delivery.ts";
import type { Grant } from "./live/live.ts";
import { isWatcherSocket } from "./live/watchers.ts";
import { toMember, toMemberRib } from "./member-view.ts";
import {
  addMember,
  closeMesh,
  initialiseMesh,
  readOpenMesh,
  removeMember,
  renameMember,
  setMemberGateway,
} from "./members.ts";
import { readMeshMetrics } from "./read-metrics.ts";
import type {
  AddedMember,
  AddMemberError,
  AddMemberRequest,
  LinkEventPosition,
  MemberRib,
  MemberTelemetry,
  MeshMetrics,
  MeshObjectRpc,
  PositionedLinkEvent,
  SettingsChange,
  SettingsError,
  TelemetryError,
} from "./rpc.ts";
import { replaceRelayKey } from "./signals/replace-relay-key.ts";
import { isTransitAllowed, renderTransits } from "./signals/transits.ts";

type NoMesh = { readonly code: "mesh_not_found" };

export class MeshObject extends DurableObject<Env> implements MeshObjectRpc {
  readonly #mesh: MeshServices;
  readonly #serveMember: (request: Request) => Promise<Response>;
  readonly #delivery: Delivery;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#mesh = createMesh(ctx, env);
    this.#serveMember = createAgentHandler(this.#mesh.endpoint, Date.now);
    this.#delivery = createDelivery(this.#mesh, (promise) => ctx.waitUntil(promise));
    // An object that was torn down before it told everybody does it when it is back.
    const { storage, alarms } = this.#mesh;
    if (storage.readMesh() !== null) void ctx.blockConcurrencyWhile(() => alarms.restore());
    const mesh = readOpenMesh(storage);
    if (mesh !== null && this.#mesh.connections.listBehind(mesh.visibleRevision).length > 0) {
      this.#mesh.broadcast.schedule();
    }
  }

  async initialise(settings: MeshSettings): Promise<void> {
    this.#transact(() => initialiseMesh(this.#mesh, settings, Date.now()));
  }

  async changeSettings(change: SettingsChange): Promise<Result<MeshRouting, SettingsError>> {
    const { transits, broadcast } = this.#mesh;
    const isTransitOver = change.fallback !== undefined && !isTransitAllowed(change.fallback);
    const [result, untransited] = this.#transact(() => {
      const changed = changeSettings(this.#mesh, change, Date.now());
      return [changed, changed.ok && isTransitOver ? transits.dropAll() : []];
    });
    if (result.ok) broadcast.schedule();
    this.#tellTransits(untransited);
    this.#delivery.start();
    return result;
  }

  async addMember(request: AddMemberRequest): Promise<Result<AddedMember, AddMemberError>> {
    const result = this.#transact(() => addMember(this.#mesh, request, Date.now()));
    if (result.ok && result.value.isNew) this.#delivery.start();
    return result;
  }

  async removeMember(machineId: MachineId, cause: Cause): Promise<Result<boolean, NoMesh>> {
    const [result, untransited] = this.#transact(() => {
      const removed = removeMember(this.#mesh, { machineId, cause }, Date.now());
      return [removed, removed.ok && removed.value ? this.#mesh.transits.dropOf(machineId) : []];
    });
    if (!result.ok || !result.value) return result;
    this.#dismiss(machineId, "removed");
    this.#tellTransits(untransited);
    this.#mesh.broadcast.schedule();
    this.#delivery.start();
    return result;
  }

  async renameMember(machineId: MachineId, name: string): Promise<void> {
    renameMember(this.#mesh, machineId, name);
    this.#mesh.live.note("machines", machineId);
    this.#mesh.broadcast.schedule();
  }

  async setMemberGateway(machineId: MachineId, isGateway: boolean): Promise<void> {
    if (readOpenMesh(this.#mesh.storage) === null) return;
    const untransited = this.#transact(() => {
      setMemberGateway(this.#mesh, { machineId, isGateway }, Date.now());
      return isGateway ? [] : this.#mesh.transits.dropThrough(machineId);
    });
    this.#mesh.live.note("machines", machineId);
    this.#mesh.broadcast.schedule();
    this.#tellTransits(untransited);
    this.#delivery.start();
  }

  async listMembers(page: { after: MachineId | null; limit: number }): Promise<Result<Member[], NoMesh>> {
    const { storage, connections } = this.#mesh;
    const mesh = readOpenMesh(storage);
    if (mesh === null) return err({ code: "mesh_not_found" });
    const members = storage.readMembersAfter(page.after, page.limit);
    return ok(members.map((member) => toMember(mesh, member, connections.statusOf(member.machineId), Date.now())));
  }

  async getMember(
    machineId: MachineId,
  ): Promise<Result<Member, { readonly code: "mesh_not_found" | "member_not_found" }>> {
    const { storage, connections } = this.#mesh;
    const mesh = readOpenMesh(storage);
    if (mesh === null) return err({ code: "mesh_not_found" });
    const member = storage.readMember(machineId);
    if (member === null) return err({ code: "member_not_found" });
    return ok(toMember(mesh, member, connections.statusOf(machineId), Date.now()));
  }

  async hasMembers(machineIds: readonly MachineId[]): Promise<boolean> {
    const { storage } = this.#mesh;
    return readOpenMesh(storage) !== null && machineIds.every((machineId) => storage.readMember(machineId) !== null);
  }

  async readPresence(machineIds: readonly MachineId[]): Promise<Record<MachineId, number>> {
    const { storage, connections } = this.#mesh;
    const presence: Record<MachineId, number> = {};
    if (readOpenMesh(storage) === null) return presence;
    // Who is connected is a member, and known without a look at its row.
    const absent = machineIds.filter((machineId) => {
      const { lastSeenAt } = connections.statusOf(machineId);
      if (lastSeenAt !== null) presence[machineId] = lastSeenAt;
      return lastSeenAt === null;
    });
    for (const { machineId, atMs } of storage.readLastSeen(absent)) presence[machineId] = atMs;
    return presence;
  }

  async readMetrics(): Promise<MeshMetrics | null> {
    return readMeshMetrics(this.#mesh, Date.now());
  }

  async readRelayKey(keyId: string | null = null): Promise<JsonWebKey | null> {
    const { storage, relayTickets } = this.#mesh;
    return readOpenMesh(storage) === null ? null : relayTickets.readPublicJwk(keyId, Date.now());
  }

  async replaceRelayKey(cause: Cause): Promise<Result<{ madeAtMs: number | null }, NoMesh>> {
    const made = await this.#mesh.relayTickets.makeKey();
    const result = this.#transact(() => replaceRelayKey(this.#mesh, { made, cause }, Date.now()));
    this.#delivery.start();
    return result;
  }

  async readTelemetry(
    machineId: MachineId,
    { waitMs }: { waitMs: number },
  ): Promise<Result<MemberTelemetry, TelemetryError>> {
    const mesh = readOpenMesh(this.#mesh.storage);
    if (mesh === null) return err({ code: "mesh_not_found" });
    if (this.#mesh.storage.readMember(machineId) === null) return err({ code: "member_not_found" });
    const read = await this.#mesh.telemetry.read(machineId, waitMs);
    if (!read.ok) return err({ code: read.error });
    return ok(this.#mesh.toTelemetry(mesh, machineId, read.value));
  }

  async readRib(
    machineId: MachineId,
    options: { prefix: Prefix | null; waitMs: number },
  ): Promise<Result<MemberRib, TelemetryError>> {
    if (readOpenMesh(this.#mesh.storage) === null) return err({ code: "mesh_not_found" });
    if (this.#mesh.storage.readMember(machineId) === null) return err({ code: "member_not_found" });
    const read = await this.#mesh.ribs.read(machineId, options);
    return read.ok ? ok(toMemberRib(this.#mesh.storage, read.value)) : err({ code: read.error });
  }

  async listLinkEvents(
    machineId: MachineId,
    page: { before: LinkEventPosition | null; limit: number },
  ): Promise<PositionedLinkEvent[]> {
    if (readOpenMesh(this.#mesh.storage) === null) return [];
    return this.#mesh.linkEvents.list(machineId, { ...page, nowMs: Date.now() });
  }

  async createAnnouncement(announcement: NewAnnouncement): Promise<Result<AnnouncementView, AnnouncementError>> {
    return this.#view(this.#announce(() => createAnnouncement(this.#mesh, announcement, Date.now())));
  }

  async updateAnnouncement(change: AnnouncementChange): Promise<Result<AnnouncementView, AnnouncementError>> {
    return this.#view(this.#announce(() => updateAnnouncement(this.#mesh, change, Date.now())));
  }

  async deleteAnnouncement(request: Pick<AnnouncementChange, "id" | "cause">): Promise<Result<null, NoAnnouncement>> {
    return this.#announce(() => deleteAnnouncement(this.#mesh, request, Date.now()));
  }

  async listAnnouncements(
    kind: AnnouncementKind,
    page: { after: string | null; limit: number },
  ): Promise<Result<AnnouncementView[], NoMesh>> {
    const { storage, announcements, toViews } = this.#mesh;
    return readOpenMesh(storage) === null
      ? err({ code: "mesh_not_found" })
      : ok(toViews(announcements.list(kind, page)));
  }

  async listAnnouncementsOf(machineId: MachineId): Promise<AnnouncementRecord[]> {
    const { storage, announcements } = this.#mesh;
    return readOpenMesh(storage) === null ? [] : announcements.listOf(machineId);
  }

  async getAnnouncement(id: AnnouncementRecord["id"]): Promise<Result<AnnouncementView, NoAnnouncement>> {
    const { storage, announcements } = this.#mesh;
    if (readOpenMesh(storage) === null) return err({ code: "mesh_not_found" });
    const record = announcements.read(id);
    return record === null ? err({ code: "announcement_not_found" }) : this.#view(ok(record));
  }

  async expectPolicies(): Promise<void> {
    if (readOpenMesh(this.#mesh.storage) !== null) this.#transact(() => this.#mesh.policyRefresh.expect());
  }

  async refreshPolicies(): Promise<void> {
    await this.#mesh.policyRefresh.refresh();
    this.#mesh.live.note("lists");
  }

  async hintLists(): Promise<void> {
    this.#mesh.live.note("lists");
  }

  async dismissWatchers(grant: Grant): Promise<void> {
    this.#mesh.live.dismiss(grant);
  }

  async close(): Promise<{ memberCount: number }> {
    const closed = this.#transact(() => closeMesh(this.#mesh, Date.now()));
    for (const machineId of this.#mesh.connections.machineIds()) this.#dismiss(machineId, "mesh_deleted");
    this.#mesh.live.close();
    this.#delivery.start();
    return closed;
  }

  override async fetch(request: Request): Promise<Response> {
    return request.headers.has(TRUSTED_HEADERS.watcher) ? this.#mesh.live.open(request) : this.#serveMember(request);
  }

  override webSocketMessage(webSocket: WebSocket, frame: string | ArrayBuffer): void {
    const isWatcher = isWatcherSocket(this.ctx, webSocket);
    const { log, live, endpoint } = this.#mesh;
    guardFrame(webSocket, { log, failure: `a ${isWatcher ? "watcher" : "member"}'s message failed` }, () =>
      (isWatcher ? live : endpoint).receiveFrame(webSocket, frame),
    );
  }

  override webSocketClose(webSocket: WebSocket): void {
    const { connections, storage, live } = this.#mesh;
    if (isWatcherSocket(this.ctx, webSocket)) {
      live.dropped(webSocket);
      return;
    }
    const dropped = connections.sockets.dropped(webSocket);
    if (dropped === null || readOpenMesh(storage) === null) return;
    storage.writeLastSeen(dropped.machineId, dropped.lastSeenAt);
  }

  override webSocketError(webSocket: WebSocket): void {
    this.webSocketClose(webSocket);
  }

  override async alarm(): Promise<void> {
    const { storage, alarms, policyRefresh } = this.#mesh;
    if (storage.readMesh() === null) return;
    const due = alarms.takeDue(Date.now());
    await this.#delivery.retry();
    if (due.includes("policies")) await policyRefresh.look();
  }

  #announce<T, E>(change: () => Result<T, E>): Result<T, E> {
    const result = this.#transact(change);
    if (!result.ok) return result;
    this.#mesh.broadcast.schedule();
    this.#delivery.start();
    return result;
  }

  #view<E>(result: Result<AnnouncementRecord, E>): Result<AnnouncementView, E> {
    if (!result.ok) return result;
    const [view] = this.#mesh.toViews([result.value]);
    if (view === undefined) throw new Error("each record has a view");
    return ok(view);
  }

  #transact<T>(change: () => T): T {
    return this.#mesh.storage.transaction(change);
  }

  #tellTransits(machineIds: readonly MachineId[]): void {
    const { connections, transits } = this.#mesh;
    for (const machineId of machineIds) connections.tell(machineId, renderTransits(transits, machineId));
  }

  #dismiss(machineId: MachineId, reason: MeshLeft["reason"]): void {
    const meshId = this.#mesh.storage.readMesh()?.settings.id;
    if (meshId === undefined) return;
    const text = JSON.stringify({ type: "mesh.left", meshId, reason } satisfies MeshLeft);
    const detail = reason === "removed" ? "taken out of the mesh" : "the mesh was deleted";
    this.#mesh.telemetry.forget(machineId);
    this.#mesh.ribs.forget(machineId);
    this.#mesh.connections.dismiss(machineId, text, { code: "not_a_member", detail });
  }
}
