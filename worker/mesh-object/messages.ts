// What a member's messages do, the same over a socket and over long-poll. Pure over the mesh's storage.

import type { MachineId } from "#schema/ids";
import type { StepFailure } from "#schema/machine";
import { err, ok, type Result } from "#schema/result";
import type {
  ChecksReport,
  FromMeshMessage,
  LinkReports,
  MemberUpdate,
  RibReport,
  SyncHello,
  TelemetryReport,
  ToMeshMessage,
  TransitRequest,
} from "#schema/wire/messages";
import { checkWireVersion } from "../durable/wire-version.ts";
import type { Failure } from "../failure.ts";
import type { AnnouncementStorage } from "./announcements/announcement-storage.ts";
import type { CheckStates } from "./announcements/check-states.ts";
import type { LinkEvents } from "./links/link-events.ts";
import { type MemberChange, readOpenMesh, updateMember } from "./members.ts";
import { handleSignal, type Signal, type SignalLimits, type Tell } from "./signals/signals.ts";
import { requestTransit, type Transits } from "./signals/transits.ts";
import type { MeshStorage } from "./storage.ts";
import type { Position } from "./sync/sync.ts";

export interface MessageContext {
  readonly storage: MeshStorage;
  readonly linkEvents: Pick<LinkEvents, "isAllowed" | "add">;
  readonly transits: Transits;
  readonly checkStates: Pick<CheckStates, "take">;
  readonly announcements: Pick<AnnouncementStorage, "listIdsOf">;
  readonly machineId: MachineId;
  /** False when this member has sent too many messages of this kind. */
  readonly isAllowed: (kind: MessageKind) => boolean;
  readonly signalLimits: SignalLimits;
  readonly isOnline: (machineId: MachineId) => boolean;
  readonly nowMs: number;
}
/** `any`: each message. `costly`: those that may take a long answer. */
export type MessageKind = "any" | "costly" | "update" | "transit" | "checks" | "presence";

/** What is to be done after the messages. Several that ask where the mesh stands get one answer, to the last of them. */
export interface MessageOutcome {
  readonly replies: readonly FromMeshMessage[];
  readonly ask: { readonly kind: "hello" | "heartbeat"; readonly position: Position | null } | null;
  readonly report: MemberReport | null;
  /** True when other members must hear of it. */
  readonly isChanged: boolean;
  /** To one other member each. */
  readonly tells: readonly Tell[];
  /** Peers to which a relay opens: both ends get a ticket. */
  readonly relayPeers: readonly MachineId[];
  /** Who has to be told their transits. */
  readonly transitMembers: readonly MachineId[];
  readonly telemetry: readonly TelemetryReport[];
  readonly ribs: readonly RibReport[];
  readonly isRibChanged: boolean;
  readonly droppedLinkEvents: number;
  /** Ends the connection. What the messages before it did stays. */
  readonly failure: Failure | null;
}
export interface MemberReport {
  readonly applied: Position;
  readonly failures: readonly StepFailure[];
}

const NOTHING: MessageOutcome = {
  replies: [],
  ask: null,
  report: null,
  isChanged: false,
  tells: [],
  relayPeers: [],
  transitMembers: [],
  telemetry: [],
  ribs: [],
  isRibChanged: false,
  droppedLinkEvents: 0,
  failure: null,
};

export function handleMessages(context: MessageContext, messages: readonly ToMeshMessage[]): MessageOutcome {
  let outcome = NOTHING;
  for (const message of messages) {
    const step = handleMessage(context, message);
    if (!step.ok) return { ...outcome, failure: step.error };
    outcome = join(outcome, step.value);
  }
  return outcome;
}

const join = (before: MessageOutcome, step: MessageOutcome): MessageOutcome => ({
  replies: [...before.replies, ...step.replies],
  ask: step.ask ?? before.ask,
  report: step.report ?? before.report,
  isChanged: before.isChanged || step.isChanged,
  tells: [...before.tells, ...step.tells],
  relayPeers: [...before.relayPeers, ...step.relayPeers],
  transitMembers: [...new Set([...before.transitMembers, ...step.transitMembers])],
  telemetry: [...before.telemetry, ...step.telemetry],
  ribs: [...before.ribs, ...step.ribs],
  isRibChanged: before.isRibChanged || step.isRibChanged,
  droppedLinkEvents: before.droppedLinkEvents + step.droppedLinkEvents,
  failure: null,
});

function handleMessage(context: MessageContext, message: ToMeshMessage): Result<MessageOutcome, Failure> {
  if (!context.isAllowed("any")) return err({ code: "rate_limited", detail: "too many messages" });
  switch (message.type) {
    case "sync.hello":
      return handleHello(context, message);
    case "member.update":
      return ok(handleUpdate(context, message));
    case "sync.applied": {
      const { epoch, revision, failures } = message;
      return ok({ ...NOTHING, report: { applied: { epoch, revision }, failures } });
    }
    case "sync.heartbeat": {
      if (!context.isAllowed("costly")) return err({ code: "rate_limited", detail: "too many heartbeats" });
      const { epoch, revision } = message;
      return ok({ ...NOTHING, ask: { kind: "heartbeat", position: { epoch, revision } } });
    }
    case "punch.request":
    case "relay.request":
    case "peer.observed":
      return ok(passOn(context, message));
    case "link.report":
      return ok(keepLinkEvents(context, message));
    case "telemetry.report":
      return ok({ ...NOTHING, telemetry: [message] });
    case "rib.report":
      return ok({ ...NOTHING, ribs: [message] });
    case "transit.request":
      return ok(handleTransit(context, message));
    case "rib.changed":
      return ok({ ...NOTHING, isRibChanged: true });
    case "checks.report":
      return keepChecks(context, message);
    case "presence.request":
      return ok(tellPresence(context));
  }
}

function handleHello(context: MessageContext, message: SyncHello): Result<MessageOutcome, Failure> {
  const { wireVersion, position } = message;
  const refusal = checkWireVersion(wireVersion);
  if (refusal !== null) return err(refusal);
  if (!context.isAllowed("costly")) return err({ code: "rate_limited", detail: "too many hellos" });
  const changed = changeMember(context, toChange(message));
  return ok(changed.replies.length > 0 ? changed : { ...changed, ask: { kind: "hello", position } });
}

/** Its peers can make it see other endpoints, so too many updates may not be its own fault: they don't cost it its connection. */
function handleUpdate(context: MessageContext, message: MemberUpdate): MessageOutcome {
  if (context.isAllowed("update")) return changeMember(context, toChange(message));
  return refuse("too_many_updates", "too many updates: tell the newest in a while");
}

function changeMember({ storage, machineId, nowMs }: MessageContext, change: MemberChange): MessageOutcome {
  const updated = updateMember(storage, machineId, { ...change, keySince: nowMs });
  if (updated.ok) return { ...NOTHING, isChanged: updated.value };
  return refuse(updated.error, "another member of this mesh has this public key");
}

const refuse = (code: string, message: string): MessageOutcome => ({
  ...NOTHING,
  replies: [{ type: "error", code, message }],
});

function passOn(context: MessageContext, signal: Signal): MessageOutcome {
  const mesh = readOpenMesh(context.storage);
  if (mesh === null) return NOTHING;
  return { ...NOTHING, ...handleSignal({ ...context, mesh }, signal) };
}

/** Of links to who is no peer nothing is kept, and nothing beyond the member's rate. */
function keepLinkEvents(context: MessageContext, { links }: LinkReports): MessageOutcome {
  const { storage, linkEvents, machineId, nowMs } = context;
  const peers = new Map<MachineId, boolean>();
  const isPeer = (peerId: MachineId) => {
    const known = peers.get(peerId) ?? (peerId !== machineId && storage.readMember(peerId) !== null);
    peers.set(peerId, known);
    return known;
  };
  const kept = links.filter(({ peerId }) => linkEvents.isAllowed(machineId, nowMs) && isPeer(peerId));
  linkEvents.add(machineId, kept, nowMs);
  return { ...NOTHING, droppedLinkEvents: links.length - kept.length };
}

/** Of what it has to announce; an honest member tells at most once a second. */
function keepChecks(context: MessageContext, { checks, isAll }: ChecksReport): Result<MessageOutcome, Failure> {
  const { storage, checkStates, announcements, machineId } = context;
  if (!context.isAllowed("checks")) return err({ code: "rate_limited", detail: "too many reports of checks" });
  const own = new Set(announcements.listIdsOf(machineId));
  const told = checks.filter(({ id }) => own.has(id));
  storage.transaction(() => checkStates.take(machineId, { checks: told, isAll }));
  return ok(NOTHING);
}

function handleTransit(context: MessageContext, message: TransitRequest): MessageOutcome {
  const mesh = readOpenMesh(context.storage);
  if (mesh === null) return NOTHING;
  if (!context.isAllowed("transit")) return refuse("rate_limited", "too many requests for transit");
  return { ...NOTHING, ...requestTransit({ ...context, mesh }, message) };
}

/** Over the rate nothing is told: the member asks again. */
function tellPresence(context: MessageContext): MessageOutcome {
  if (!context.isAllowed("presence")) return NOTHING;
  const absentIds = context.storage.readMemberIds().filter((machineId) => !context.isOnline(machineId));
  return { ...NOTHING, replies: [{ type: "presence.told", absentIds }] };
}

const toChange = ({
  publicKey,
  candidates,
  deviceEpoch,
  nat,
  answersChecks,
}: SyncHello | MemberUpdate): MemberChange => ({
  ...(publicKey === undefined ? {} : { publicKey }),
  ...(candidates === undefined ? {} : { candidates }),
  ...(deviceEpoch === undefined ? {} : { deviceEpoch }),
  ...(nat === undefined ? {} : { nat }),
  ...(answersChecks === undefined ? {} : { answersChecks }),
});
