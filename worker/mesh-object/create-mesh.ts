// Composition root of a Mesh object: makes its parts and wires them. Decides nothing.
import { toRestoredAt } from "#schema/generation";
import type { MachineId } from "#schema/ids";
import { createDatabase as openD1 } from "../db/database.ts";
import { readPolicies } from "../db/policy-sets.ts";
import { type Alarms, createAlarms } from "../durable/alarms.ts";
import { createDatabase, type Database } from "../durable/sqlite.ts";
import type { Env } from "../env.ts";
import { readGeneration } from "../generation.ts";
import { createLogger, type Logger, parseLogLevel, toErrorFields } from "../log.ts";
import { createObjects } from "../objects.ts";
import { Notice, Projection } from "../outbox/entries.ts";
import { createOutbox, type Outbox } from "../outbox/outbox.ts";
import { createProjector, MAX_PROJECTIONS } from "../outbox/project.ts";
import { createAddressStorage } from "./addresses/address-storage.ts";
import type { AnnouncementRecord } from "./announcements/announcement.ts";
import { createAnnouncementStorage } from "./announcements/announcement-storage.ts";
import { type AnnouncementView, toAnnouncementViews } from "./announcements/announcement-view.ts";
import { createCheckStates } from "./announcements/check-states.ts";
import { type Connections, createConnections } from "./connections.ts";
import { createLinkEvents, type LinkEvents } from "./links/link-events.ts";
import { createRibReader, type RibReader } from "./links/rib-reader.ts";
import { createTelemetry, type Telemetry } from "./links/telemetry.ts";
import { createLive, type Live, type ToTelemetry } from "./live/live.ts";
import {
  type NoteChange,
  observeAnnouncements,
  observeChecks,
  observeLinkEvents,
  observeMesh,
} from "./live/observe-storage.ts";
import { createWatchers, type Watchers } from "./live/watchers.ts";
import { createMemberEndpoint, type MemberEndpoint } from "./member-endpoint.ts";
import { toMemberTelemetry } from "./member-view.ts";
import type { MeshParts } from "./members.ts";
import { readOpenMesh } from "./members.ts";
import { applyPolicies } from "./policies/apply-policies.ts";
import { createPolicyRefresh, type PolicyRefresh } from "./policies/policy-refresh.ts";
import { createPolicyStorage, type PolicyStorage } from "./policies/policy-storage.ts";
import { createRelayInvitations } from "./signals/relay-invitations.ts";
import { createRelayTicketStorage, createRelayTickets, type RelayTickets } from "./signals/relay-tickets.ts";
import { createTransits, type Transits } from "./signals/transits.ts";
import { createMeshStorage } from "./storage.ts";
import { type Broadcast, createBroadcast } from "./sync/broadcast.ts";
import { createReplies } from "./sync/replies.ts";

/** Each is a call of another object: few enough at once that none waits long. */
const MAX_NOTICES = 50;

type AlarmName = "outbox" | "notices" | "policies";

export interface MeshServices extends MeshParts {
  readonly db: Database;
  readonly alarms: Alarms<AlarmName>;
  readonly outbox: Outbox<Projection>;
  readonly notices: Outbox<Notice>;
  readonly connections: Connections;
  readonly broadcast: Broadcast;
  readonly endpoint: MemberEndpoint;
  readonly relayTickets: RelayTickets;
  readonly linkEvents: LinkEvents;
  readonly transits: Transits;
  readonly telemetry: Telemetry;
  readonly policies: PolicyStorage;
  readonly policyRefresh: PolicyRefresh;
  readonly ribs: RibReader;
  readonly live: Live;
  readonly watchers: Watchers;
  readonly toTelemetry: ToTelemetry;
  readonly toViews: (records: readonly AnnouncementRecord[]) => AnnouncementView[];
  readonly log: Logger;
}

export function createMesh(ctx: DurableObjectState, env: Env): MeshServices {
  const now = Date.now;
  const log = createLogger(parseLogLevel(env.BECKET_LOG_LEVEL));
  const db = createDatabase(ctx.storage);
  const generation = readGeneration(env, log);
  const note: NoteChange = (resource, machineId) => live.note(resource, machineId);
  const storage = observeMesh(createMeshStorage(db, { generation, deleteAll: () => ctx.storage.deleteAll() }), note);
  const alarms = createAlarms<AlarmName>(db, ctx.storage);
  const announcements = observeAnnouncements(createAnnouncementStorage(db), note);
  const checkStates = observeChecks(createCheckStates(db), note);
  const policies = createPolicyStorage(db);
  const replies = createReplies({ storage, announcements, policies });

  const connections = createConnections(ctx, {
    ...{ now, note },
    onGone: (machineId, lastSeenAt) => writeLastSeen(machineId, lastSeenAt),
  });
  function writeLastSeen(machineId: MachineId, lastSeenAt: number): void {
    if (readOpenMesh(storage) !== null) storage.writeLastSeen(machineId, lastSeenAt);
  }

  function tellAll(): void {
    const mesh = readOpenMesh(storage);
    if (mesh === null) return;
    const listeners = connections.listBehind(mesh.visibleRevision);
    const textsFor = replies.catchUpMany(
      mesh,
      listeners.map(({ position }) => position),
    );
    for (const listener of listeners) listener.deliver(textsFor(listener), mesh);
  }
  const broadcast = createBroadcast({ now, countListeners: connections.sockets.count, tellAll });

  const shared = { db, now, log };
  const policyRefresh = createPolicyRefresh({
    ...{ policies, now, log },
    readMeshId: () => readOpenMesh(storage)?.settings.id ?? null,
    readPolicies: (meshId) => readPolicies(openD1(env.DB), meshId),
    apply(wanted) {
      const isChanged = storage.transaction(() => applyPolicies({ storage, announcements, policies }, wanted));
      if (isChanged) broadcast.schedule();
    },
    scheduleBy: (atMs) => alarms.scheduleBy("policies", atMs),
  });
  const project = createProjector(env.DB);
  const relayTickets = createRelayTickets(createRelayTicketStorage(db));
  const waitUntil = (promise: Promise<void>) => ctx.waitUntil(promise);
  const ofPaths = {
    linkEvents: observeLinkEvents(createLinkEvents(db), note),
    transits: createTransits(db),
    telemetry: createTelemetry({
      now,
      isOnline: connections.isOnline,
      tell: (machineId, message) => connections.tell(machineId, JSON.stringify(message)),
      followers: { has: (machineId) => live.isWatched(machineId), deliver: (...told) => live.passOn(...told) },
    }),
    ribs: createRibReader({
      randomId: () => crypto.randomUUID(),
      tell: (machineId, message) => connections.tell(machineId, JSON.stringify(message)),
    }),
    relayInvitations: createRelayInvitations({ connections, tickets: relayTickets, waitUntil, now, log }),
  };
  const toTelemetry: ToTelemetry = (mesh, machineId, report) =>
    toMemberTelemetry({ ...storage, listAnnouncements: () => announcements.listOf(machineId) }, mesh, report);
  const watchers = createWatchers(ctx, now);
  const live = createLive({
    ...{ storage, watchers, now, log },
    readOpenMesh: () => readOpenMesh(storage),
    toTelemetry,
    follow: ofPaths.telemetry.follow,
  });
  return {
    ...{ live, watchers, toTelemetry },
    ...{ db, log, storage, announcements, alarms, connections, broadcast, relayTickets, ...ofPaths },
    ...{ policies, policyRefresh, checkStates },
    toViews: (records) =>
      toAnnouncementViews({ storage, checkStates, policies, isOnline: connections.isOnline, nowMs: now() }, records),
    addresses: createAddressStorage(db),
    endpoint: createMemberEndpoint({
      ...{ ...ofPaths, checkStates, announcements, note, storage, connections, replies, broadcast, now, log },
    }),
    outbox: createOutbox({
      ...shared,
      table: "outbox",
      schema: Projection,
      maxEntries: MAX_PROJECTIONS,
      async deliver(entries) {
        const failed = await project(entries);
        live.note("lists");
        // From here on a change of a policy set finds this mesh by its new member. What changed before is read now.
        if (entries.some(({ type }) => type === "membership")) await policyRefresh.refresh();
        return failed;
      },
      scheduleBy: (atMs) => alarms.scheduleBy("outbox", atMs),
    }),
    notices: createOutbox({
      ...shared,
      table: "notices",
      schema: Notice,
      maxEntries: MAX_NOTICES,
      deliver: createNotifier(env, log),
      scheduleBy: (atMs) => alarms.scheduleBy("notices", atMs),
    }),
    restoredAt: generation === null ? null : toRestoredAt(generation),
    randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
  };
}

/** One machine that can't be told holds up no other. */
export function createNotifier(
  env: Pick<Env, "MESH" | "MACHINE" | "RELAY">,
  log: Logger,
): (notices: readonly Notice[]) => Promise<readonly Notice[]> {
  const objects = createObjects(env);
  return async (notices) => {
    const told = await Promise.allSettled(
      notices.map(({ machineId, meshId }) => objects.machine(machineId).forgetMesh(meshId)),
    );
    return notices.filter(({ machineId }, index) => {
      const outcome = told[index];
      if (outcome?.status !== "rejected") return false;
      log.warn("a machine was not told that its mesh is gone", { machineId, ...toErrorFields(outcome.reason) });
      return true;
    });
  };
}
