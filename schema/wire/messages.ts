// Every message between an agent and the objects. The same messages travel over a WebSocket and over long-poll
// (there in a MessageBatch). Unknown fields are stripped; an unknown `type` is logged and ignored by both ends.
import { z } from "zod";
import { Endpoint } from "../address.ts";
import { AnnouncementState, CheckState, MAX_CHECK_STATES } from "../announcement-state.ts";
import { MAX_RIB_ROUTES, RibRoute } from "../bgp.ts";
import {
  AnnouncementRow,
  Candidates,
  DeviceEpoch,
  Duty,
  Epoch,
  MeshSettings,
  PeerRow,
  Revision,
} from "../desired-state.ts";
import { IdentityPublicKey, MachineId, MeshId, RolloutId, WireGuardPublicKey } from "../ids.ts";
import {
  MAX_GATEWAYS_NAMED,
  MAX_LINK_REPORTS,
  MAX_POLL_WAIT_SECONDS,
  MAX_ROUTES_PER_MESH,
  MAX_STUN_SERVERS,
  MAX_VIPS_PER_MESH,
} from "../limits.ts";
import { AgentInfo, BuildSha256, KeyReplacement, StepFailure } from "../machine.ts";
import { Name } from "../mesh.ts";
import { NatReport, NatSummary, StunServer } from "../nat.ts";
import { LinkReport, ObservedEndpoint, PeerExplanation } from "../path.ts";
import { NO_POLICIES, Policies } from "../policy.ts";
import { Prefix } from "../prefix.ts";
import { SpokenText } from "../spoken-text.ts";

const wireVersion = z.number().int().min(1);
const position = { epoch: Epoch, revision: Revision };

/** First message on a connection: who I am here, and where I stand (null: I know nothing). Answered by a snapshot or changes. */
export const SyncHello = z.object({
  type: z.literal("sync.hello"),
  wireVersion,
  position: z.object(position).nullable(),
  publicKey: WireGuardPublicKey,
  candidates: Candidates,
  deviceEpoch: DeviceEpoch.optional(),
  nat: NatSummary.optional(),
  answersChecks: z.boolean().optional(),
});
export type SyncHello = z.infer<typeof SyncHello>;
/** My key, my endpoints or my interface changed. What is left out stays. */
export const MemberUpdate = z.object({
  type: z.literal("member.update"),
  publicKey: WireGuardPublicKey.optional(),
  candidates: Candidates.optional(),
  deviceEpoch: DeviceEpoch.optional(),
  nat: NatSummary.optional(),
  answersChecks: z.boolean().optional(),
});
export type MemberUpdate = z.infer<typeof MemberUpdate>;
/** I have applied everything up to this revision, but for the failures. Kept in memory only. */
export const SyncApplied = z.object({
  type: z.literal("sync.applied"),
  ...position,
  failures: z.array(StepFailure).max(16),
});
export type SyncApplied = z.infer<typeof SyncApplied>;
/** "This is where I stand": the object answers with its own position, or with the changes that are missing. */
export const SyncHeartbeat = z.object({ type: z.literal("sync.heartbeat"), ...position });
export type SyncHeartbeat = z.infer<typeof SyncHeartbeat>;

/** `birthday`: I am behind a hard NAT and have opened many ports towards the peer, which guesses them while they are open. */
const punch = { peerId: MachineId, kind: z.enum(["checks", "birthday"]) };
/** I begin to send checks to this peer: tell it to do the same at once, so that both NATs are open. */
export const PunchRequest = z.object({ type: z.literal("punch.request"), ...punch });
export type PunchRequest = z.infer<typeof PunchRequest>;
/** I need a relay to this peer. Answered by relay.ticket, or relay.refused; the peer gets a ticket too, as an invitation. */
export const RelayRequest = z.object({ type: z.literal("relay.request"), peerId: MachineId });
export type RelayRequest = z.infer<typeof RelayRequest>;
/** My WireGuard hears this peer from an endpoint that it does not tell of. Passed on to the peer, who decides what it is worth. */
export const PeerObserved = z.object({ type: z.literal("peer.observed"), peerId: MachineId, endpoint: Endpoint });
export type PeerObserved = z.infer<typeof PeerObserved>;
/** Links of mine changed. Kept as link events. */
export const LinkReports = z.object({
  type: z.literal("link.report"),
  links: z.array(LinkReport).min(1).max(MAX_LINK_REPORTS),
});
export type LinkReports = z.infer<typeof LinkReports>;
/** What somebody wanted to see (telemetry.watch): sent at once and then about every second for as long as it is watched. */
export const TelemetryReport = z.object({
  type: z.literal("telemetry.report"),
  peers: z.array(PeerExplanation),
  endpoints: z.array(ObservedEndpoint),
  nat: NatReport.nullable(),
  /** What the machine has to announce in this mesh. */
  announcements: z
    .array(AnnouncementState)
    .max(MAX_ROUTES_PER_MESH + MAX_VIPS_PER_MESH)
    .default([]),
  /** True when rates and loss were measured over time, not just begun. */
  isSteady: z.boolean(),
  /** Another part of this report follows, because it does not fit into one message; parts are joined in order. */
  hasMore: z.boolean().optional(),
});
export type TelemetryReport = z.infer<typeof TelemetryReport>;
/**
 * My wish for this peer: let us talk through one of these gateways, which I reach directly; none: no longer. It stands until the next one.
 * When both ends have named the same gateway, the object tells both (transit.set).
 */
export const TransitRequest = z.object({
  type: z.literal("transit.request"),
  peerId: MachineId,
  gatewayIds: z.array(MachineId).max(MAX_GATEWAYS_NAMED).default([]),
});
export type TransitRequest = z.infer<typeof TransitRequest>;
/** What the checks of my routes and VIPs say: all of them on a new connection (the first of these messages `isAll`), then those that turned. */
export const ChecksReport = z.object({
  type: z.literal("checks.report"),
  checks: z.array(CheckState).max(MAX_CHECK_STATES),
  /** Whatever I told before counts no more. */
  isAll: z.boolean(),
});
export type ChecksReport = z.infer<typeof ChecksReport>;

const ribRequestId = z.string().min(1).max(40);
/** My BIRD's routes, as asked for (rib.request). */
export const RibReport = z.object({
  type: z.literal("rib.report"),
  requestId: ribRequestId,
  routes: z.array(RibRoute).max(MAX_RIB_ROUTES),
  /** There were more than are told. */
  isTruncated: z.boolean(),
  /** Why there is nothing to tell; null: that is all. */
  problem: SpokenText.nullable(),
  /** Another part follows; parts are joined in order. */
  hasMore: z.boolean().optional(),
});
export type RibReport = z.infer<typeof RibReport>;

/** Said only while somebody watches me (telemetry.watch): my BIRD may have other routes than before. */
export const RibChanged = z.object({ type: z.literal("rib.changed") });
export type RibChanged = z.infer<typeof RibChanged>;
/** I am about to replace my key: who could not hear of it now? Answered by presence.told. */
export const PresenceRequest = z.object({ type: z.literal("presence.request") });
export type PresenceRequest = z.infer<typeof PresenceRequest>;

export const ToMeshMessage = z.discriminatedUnion("type", [
  SyncHello,
  MemberUpdate,
  SyncApplied,
  SyncHeartbeat,
  PunchRequest,
  RelayRequest,
  PeerObserved,
  LinkReports,
  TelemetryReport,
  TransitRequest,
  RibReport,
  ChecksReport,
  RibChanged,
  PresenceRequest,
]);
export type ToMeshMessage = z.infer<typeof ToMeshMessage>;

/** Everything. Replaces what the agent knew of this mesh. */
export const SyncSnapshot = z.object({
  type: z.literal("sync.snapshot"),
  ...position,
  mesh: MeshSettings,
  members: z.array(PeerRow),
  announcements: z.array(AnnouncementRow).default([]),
  /** The receiver's. */
  duties: z.array(Duty).default([]),
  /** The receiver's. */
  policies: Policies.default(NO_POLICIES),
});
export type SyncSnapshot = z.infer<typeof SyncSnapshot>;
/** What changed after `since`. Valid only on top of exactly that revision or a newer one of the same epoch. */
export const SyncChanges = z.object({
  type: z.literal("sync.changes"),
  ...position,
  since: Revision,
  mesh: MeshSettings.optional(),
  changed: z.array(PeerRow),
  removed: z.array(MachineId),
  /** Those that changed; one without machines is gone. */
  announcements: z.array(AnnouncementRow).default([]),
  /** All that the receiver has; left out when neither they nor its policies changed. */
  duties: z.array(Duty).optional(),
  /** The receiver's, where its duties are told; without them it says nothing. */
  policies: Policies.default(NO_POLICIES),
});
export type SyncChanges = z.infer<typeof SyncChanges>;
/** The object's own position, in answer to a heartbeat of an agent that is up to date. */
export const SyncPosition = z.object({ type: z.literal("sync.position"), ...position });
export type SyncPosition = z.infer<typeof SyncPosition>;
/** You are no longer a member (or the mesh is gone): take the mesh down. The socket closes with code 4403. */
export const MeshLeft = z.object({
  type: z.literal("mesh.left"),
  meshId: MeshId,
  reason: z.enum(["removed", "mesh_deleted"]),
});
export type MeshLeft = z.infer<typeof MeshLeft>;
/** What you sent was understood and refused; the connection stays. */
export const WireError = z.object({ type: z.literal("error"), code: z.string(), message: z.string() });
export type WireError = z.infer<typeof WireError>;

/** A peer begins to send checks to you: send some to it now. */
export const PunchRequested = z.object({ type: z.literal("punch.requested"), ...punch });
export type PunchRequested = z.infer<typeof PunchRequested>;
/** Opens the relay to this peer; `isInvitation` when the peer asked for it. */
export const RelayTicket = z.object({
  type: z.literal("relay.ticket"),
  peerId: MachineId,
  ticket: z.string().max(2_048),
  isInvitation: z.boolean(),
});
export type RelayTicket = z.infer<typeof RelayTicket>;
/** No relay to this peer, and why: `peer_offline`, `rate_limited`, `member_not_found`, `relay_not_allowed`. */
export const RelayRefused = z.object({
  type: z.literal("relay.refused"),
  peerId: MachineId,
  code: z.string(),
  message: z.string(),
});
export type RelayRefused = z.infer<typeof RelayRefused>;
/** A peer's WireGuard hears you from here. */
export const EndpointObserved = z.object({
  type: z.literal("endpoint.observed"),
  endpoint: Endpoint,
  observedBy: MachineId,
});
export type EndpointObserved = z.infer<typeof EndpointObserved>;
/** Somebody looks: send telemetry.report now, and about every second for this long. Said again for as long as somebody looks. */
export const TelemetryWatch = z.object({
  type: z.literal("telemetry.watch"),
  seconds: z.number().int().min(1).max(60),
});
export type TelemetryWatch = z.infer<typeof TelemetryWatch>;
/** Somebody wants to see your BIRD's routes in this mesh: all, or those that contain the prefix or are inside it. */
export const RibRequest = z.object({
  type: z.literal("rib.request"),
  requestId: ribRequestId,
  prefix: Prefix.nullable(),
});
export type RibRequest = z.infer<typeof RibRequest>;
/** This peer would like to talk to you through a gateway, and you have not named one that it has: say which you reach, if any. */
export const TransitRequested = z.object({ type: z.literal("transit.requested"), peerId: MachineId });
export type TransitRequested = z.infer<typeof TransitRequested>;
/** All pairs of yours that talk through a gateway. Sent after hello where the mesh's fallback allows it, and at every change. */
export const TransitSet = z.object({
  type: z.literal("transit.set"),
  pairs: z.array(z.object({ peerId: MachineId, gatewayId: MachineId })),
});
export type TransitSet = z.infer<typeof TransitSet>;

/** The members that are not connected at this moment. */
export const PresenceTold = z.object({ type: z.literal("presence.told"), absentIds: z.array(MachineId) });
export type PresenceTold = z.infer<typeof PresenceTold>;

export const FromMeshMessage = z.discriminatedUnion("type", [
  SyncSnapshot,
  SyncChanges,
  SyncPosition,
  MeshLeft,
  WireError,
  PunchRequested,
  RelayTicket,
  RelayRefused,
  EndpointObserved,
  TelemetryWatch,
  RibRequest,
  TransitRequested,
  TransitSet,
  PresenceTold,
]);
export type FromMeshMessage = z.infer<typeof FromMeshMessage>;

/** First message on a connection, answered by machine.state. */
export const MachineHello = z.object({ type: z.literal("machine.hello"), wireVersion, agent: AgentInfo });
export type MachineHello = z.infer<typeof MachineHello>;
/** Answered by machine.state. */
export const MachineHeartbeat = z.object({ type: z.literal("machine.heartbeat"), revision: Revision });
export type MachineHeartbeat = z.infer<typeof MachineHeartbeat>;

/** What was ordered (machine.state's `upgrade`) did not happen, and why. That it did happen is seen in the next hello. */
export const UpgradeReport = z.object({ type: z.literal("upgrade.report"), orderId: RolloutId, problem: SpokenText });
export type UpgradeReport = z.infer<typeof UpgradeReport>;

export const ToMachineMessage = z.discriminatedUnion("type", [MachineHello, MachineHeartbeat, UpgradeReport]);
export type ToMachineMessage = z.infer<typeof ToMachineMessage>;

/** The agent that this machine is to have: it is its turn in the roll-out. */
export const UpgradeOrder = z.object({ orderId: RolloutId, sha256: BuildSha256 });
export type UpgradeOrder = z.infer<typeof UpgradeOrder>;
/** The doorbell: the machine's name, the meshes it should be in, and what a person asked of its keys and its agent. Sent in answer to hello and heartbeat, and at every change. */
export const MachineState = z.object({
  type: z.literal("machine.state"),
  revision: Revision,
  name: Name,
  meshes: z.array(z.object({ meshId: MeshId, name: Name })),
  /** `host:port` of STUN servers (RFC 8489), as the operator set them. */
  stunServers: z.array(StunServer).max(MAX_STUN_SERVERS).default([]),
  keyReplacement: KeyReplacement.nullable().default(null),
  upgrade: UpgradeOrder.nullable().default(null),
  /** Its identity key, when that is to be replaced. It is named, so that a state that comes late asks for nothing twice. */
  dueIdentityKey: IdentityPublicKey.nullable().default(null),
});
export type MachineState = z.infer<typeof MachineState>;
/** This machine was removed: take everything down. The socket closes with code 4403. */
export const MachineRemoved = z.object({ type: z.literal("machine.removed") });
export type MachineRemoved = z.infer<typeof MachineRemoved>;

export const FromMachineMessage = z.discriminatedUnion("type", [MachineState, MachineRemoved, WireError]);
export type FromMachineMessage = z.infer<typeof FromMachineMessage>;

export const MAX_BATCH_MESSAGES = 32;
/** Body of POST …/sync and of the replies to POST and GET: messages in order, each as it would be on the socket. */
export const MessageBatch = z.object({ messages: z.array(z.unknown()).max(MAX_BATCH_MESSAGES) });
export type MessageBatch = z.infer<typeof MessageBatch>;

/** Query of GET …/meshes/{id}/sync without an upgrade: held up to `wait` seconds until something is newer than `since`; an empty batch else. */
export const MeshPollQuery = z.object({
  epoch: Epoch.optional(),
  since: z.coerce.number().int().nonnegative().optional(),
  wait: z.coerce.number().int().min(0).max(MAX_POLL_WAIT_SECONDS).default(MAX_POLL_WAIT_SECONDS),
});
/** Query of GET …/machine/sync without an upgrade. */
export const MachinePollQuery = z.object({
  since: z.coerce.number().int().nonnegative().optional(),
  wait: z.coerce.number().int().min(0).max(MAX_POLL_WAIT_SECONDS).default(MAX_POLL_WAIT_SECONDS),
});

/** Liveness on every socket: text, answered by the runtime without waking the object. */
export const PING = "ping";
export const PONG = "pong";
