// How a member talks to its mesh: both transports end in `receive`, so that the same message does the same on both.
import type { MachineId } from "#schema/ids";
import { err, ok, type Result } from "#schema/result";
import { MAX_BATCH_MESSAGES, MeshPollQuery, ToMeshMessage } from "#schema/wire/messages";
import { type AgentEndpoint, parseQuery } from "../durable/agent-endpoint.ts";
import { toClose } from "../durable/close-reason.ts";
import { createDecoder, type Decoded, messageTypesOf } from "../durable/decode-message.ts";
import { createRateLimiter } from "../durable/rate-limiter.ts";
import type { Failure } from "../failure.ts";
import type { Logger } from "../log.ts";
import type { AnnouncementStorage } from "./announcements/announcement-storage.ts";
import type { CheckStates } from "./announcements/check-states.ts";
import type { Connections } from "./connections.ts";
import type { LinkEvents } from "./links/link-events.ts";
import type { RibReader } from "./links/rib-reader.ts";
import type { Telemetry } from "./links/telemetry.ts";
import { MAX_WATCHERS } from "./live/live.ts";
import type { NoteChange } from "./live/observe-storage.ts";
import { readOpenMesh } from "./members.ts";
import { handleMessages, type MessageKind, type MessageOutcome } from "./messages.ts";
import type { RelayInvitations } from "./signals/relay-invitations.ts";
import { createSignalLimits } from "./signals/signals.ts";
import { isTransitAllowed, renderTransits, type Transits } from "./signals/transits.ts";
import type { MeshRecord, MeshStorage } from "./storage.ts";
import type { Broadcast } from "./sync/broadcast.ts";
import type { Replies } from "./sync/replies.ts";
import { isResumable, type Position } from "./sync/sync.ts";

export interface MemberEndpoint extends AgentEndpoint {
  receiveFrame(webSocket: WebSocket, frame: string | ArrayBuffer): void;
}

export interface MemberEndpointParts {
  readonly storage: MeshStorage;
  readonly linkEvents: LinkEvents;
  readonly transits: Transits;
  readonly checkStates: CheckStates;
  readonly announcements: AnnouncementStorage;
  readonly telemetry: Telemetry;
  readonly ribs: RibReader;
  readonly relayInvitations: RelayInvitations;
  readonly connections: Connections;
  readonly replies: Replies;
  readonly broadcast: Broadcast;
  readonly note: NoteChange;
  readonly now: () => number;
  readonly log: Logger;
}

/** Hibernatable WebSockets per object (Durable Objects docs, "Limits", 2026-11), without those of watchers. */
const MAX_SOCKETS = 32_768 - MAX_WATCHERS;
/** Hello, heartbeat and poll may be answered with everything. */
const COSTLY = { burst: 30, perSecond: 1 };
/** Keys and endpoints change seldom, and each change goes to every member. */
const UPDATES = { burst: 30, perSecond: 1 };
/** A member confirms every change, and in a join storm there are many. */
const MESSAGES = { burst: 1_000, perSecond: 200 };
const TRANSITS = { burst: 64, perSecond: 1 };
/** All of a member's are told in at most eight messages, and again with each connection. */
const CHECKS = { burst: 64, perSecond: 1 };
/** Asked before a key is replaced, and again while that waits for somebody; each costs a look at all members. */
const PRESENCE = { burst: 10, perSecond: 0.2 };

/** The answer to this position is about as long as the whole mesh: a snapshot, or as many changes as it has members. */
const isWholeMesh = (mesh: MeshRecord, position: Position | null): boolean =>
  !isResumable(mesh, position) || mesh.revision - position.revision > Math.max(MIN_LONG_LAG, mesh.memberCount);
/** Below this it is short in any mesh. */
const MIN_LONG_LAG = 64;

const NOT_A_MEMBER: Failure = { code: "not_a_member" };
const decoder = createDecoder(ToMeshMessage, messageTypesOf(ToMeshMessage));

export function createMemberEndpoint(parts: MemberEndpointParts): MemberEndpoint {
  const { storage, connections, replies, broadcast, transits, now, log } = parts;
  const limiters = {
    ...{ any: createRateLimiter(MESSAGES), costly: createRateLimiter(COSTLY) },
    ...{ update: createRateLimiter(UPDATES), transit: createRateLimiter(TRANSITS), checks: createRateLimiter(CHECKS) },
    presence: createRateLimiter(PRESENCE),
  };
  const signalLimits = createSignalLimits();
  const isAllowed = (machineId: MachineId, kind: MessageKind) => limiters[kind].take(machineId, now());

  // Whoever gets here is a member: a socket of one that is no longer is dismissed, a request is looked at before.
  function receive(
    machineId: MachineId,
    decoded: Decoded<ToMeshMessage>,
  ): { texts: string[]; failure: Failure | null } {
    for (const type of decoded.unknownTypes) log.info("ignored a message of unknown type", { machineId, type });
    const { isOnline } = connections;
    const context = { ...parts, machineId, signalLimits, isOnline, nowMs: now() };
    const outcome = handleMessages({ ...context, isAllowed: (kind) => isAllowed(machineId, kind) }, decoded.messages);
    const answers = answer(machineId, outcome.ask);
    carryOut(machineId, outcome);
    return { texts: [...outcome.replies.map((reply) => JSON.stringify(reply)), ...answers], failure: outcome.failure };
  }

  function carryOut(machineId: MachineId, outcome: MessageOutcome): void {
    const { isChanged, report, tells, relayPeers, transitMembers, telemetry, droppedLinkEvents } = outcome;
    if (isChanged) broadcast.schedule();
    if (report !== null) connections.keepReport(machineId, report);
    if (outcome.ask?.kind === "hello") {
      parts.note("presence", machineId);
      parts.telemetry.greeted(machineId);
    }
    for (const { machineId: to, message } of tells) connections.tell(to, JSON.stringify(message));
    const meshId = storage.readMesh()?.settings.id;
    for (const peerId of relayPeers) if (meshId) parts.relayInvitations.invite({ meshId, machineId, peerId });
    for (const member of transitMembers) connections.tell(member, renderTransits(transits, member));
    for (const told of telemetry) parts.telemetry.heard(machineId, told);
    for (const told of outcome.ribs) parts.ribs.heard(machineId, told);
    if (outcome.isRibChanged) parts.note("rib", machineId);
    if (droppedLinkEvents > 0) log.info("dropped link events of a member", { machineId, droppedLinkEvents });
  }

  function answer(machineId: MachineId, ask: MessageOutcome["ask"]): string[] {
    const mesh = ask === null ? null : readOpenMesh(storage);
    if (ask === null || mesh === null) return [];
    const socket = connections.sockets.of(machineId);
    if (socket !== null && (ask.kind === "hello" || socket.state.told !== null)) {
      socket.state = { ...socket.state, told: { epoch: mesh.epoch, revision: mesh.revision } };
      socket.save();
    }
    if (ask.kind === "heartbeat" && ask.position !== null) {
      return replies.confirm(mesh, { machineId, position: ask.position });
    }
    const mail = socket === null ? [] : connections.takeMail(machineId);
    const { position } = ask;
    return [...replies.welcome(mesh, { machineId, position }), ...answerTransits(mesh, machineId), ...mail];
  }

  /** Also when there are none: it may have been away when the last one ended. */
  const answerTransits = (mesh: MeshRecord, machineId: MachineId): string[] =>
    isTransitAllowed(mesh.settings.fallback) ? [renderTransits(transits, machineId)] : [];

  return {
    refusalOf: (machineId) =>
      readOpenMesh(storage) !== null && storage.readMember(machineId) !== null ? null : NOT_A_MEMBER,

    openSocket(machineId) {
      if (connections.sockets.count() >= MAX_SOCKETS)
        return err({ code: "unavailable", detail: "too many connections" });
      return ok(connections.openSocket(machineId, now()));
    },

    receiveFrame(webSocket, frame) {
      const socket = connections.sockets.heard(webSocket, now());
      if (socket === null) return;
      const decoded = decoder.decodeFrame(frame);
      const { texts, failure } = decoded.ok
        ? receive(socket.machineId, decoded.value)
        : { texts: [], failure: decoded.error };
      for (const text of texts) socket.send(text);
      if (failure === null) return;
      log.info("closed a member's socket", { machineId: socket.machineId, code: failure.code });
      connections.sockets.dismiss(socket.machineId, toClose(failure));
    },

    post(machineId, body): Result<readonly string[], Failure> {
      connections.heardPolling(machineId);
      const decoded = decoder.decodeBatch(body);
      if (!decoded.ok) return decoded;
      const { texts, failure } = receive(machineId, decoded.value);
      // The answers to hello and heartbeat come last: what does not fit are refusals.
      return failure === null ? ok(texts.slice(-MAX_BATCH_MESSAGES)) : err(failure);
    },

    async poll(machineId, query) {
      connections.heardPolling(machineId);
      const parsed = parseQuery(MeshPollQuery, query);
      if (!parsed.ok) return parsed;
      const mesh = readOpenMesh(storage);
      if (mesh === null) return err(NOT_A_MEMBER);
      const { epoch, since, wait } = parsed.value;
      const position: Position | null = epoch === undefined || since === undefined ? null : { epoch, revision: since };
      if (!isAllowed(machineId, "any")) return err({ code: "rate_limited", detail: "too many polls" });
      if (isWholeMesh(mesh, position) && !isAllowed(machineId, "costly")) {
        return err({ code: "rate_limited", detail: "too many polls for the whole mesh" });
      }
      const mail = connections.takeMail(machineId);
      if (!isResumable(mesh, position) || position.revision < mesh.visibleRevision) {
        return ok([...replies.catchUp(mesh, { machineId, position }), ...mail]);
      }
      if (mail.length > 0) return ok(mail);
      return ok((await connections.hold(machineId, position, wait * 1_000)) ?? []);
    },
  };
}
