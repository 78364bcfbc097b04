// How a member talks to its mesh: both transports end in `receive`, so that the same message does the same on both.
import type { MachineId } from "#schema/ids";
import { err, ok, type Result } from "#schema/result";
import { MeshPollQuery, ToMeshMessage } from "#schema/wire/messages";
import { type AgentEndpoint, parseQuery } from "../durable/agent-endpoint.ts";
import { toClose } from "../durable/close-reason.ts";
import { createDecoder, type Decoded, messageTypesOf } from "../durable/decode-message.ts";
import { createRateLimiter } from "../durable/rate-limiter.ts";
import type { Failure } from "../failure.ts";
import type { Logger } from "../log.ts";
import type { Broadcast } from "./broadcast.ts";
import type { Connections } from "./connections.ts";
import { readOpenMesh } from "./members.ts";
import { handleMessages, type MessageOutcome } from "./messages.ts";
import type { Replies } from "./replies.ts";
import type { MeshRecord, MeshStorage } from "./storage.ts";
import { isResumable, type Position } from "./sync.ts";

export interface MemberEndpoint extends AgentEndpoint {
  receiveFrame(webSocket: WebSocket, frame: string | ArrayBuffer): void;
}

export interface MemberEndpointParts {
  readonly storage: MeshStorage;
  readonly connections: Connections;
  readonly replies: Replies;
  readonly broadcast: Broadcast;
  readonly now: () => number;
  readonly log: Logger;
}

/** Hibernatable WebSockets per object (Durable Objects docs, "Limits", 2026-11). */
const MAX_SOCKETS = 32_768;
/** Keys and endpoints change seldom, and each change goes to every member; hello, heartbeat and poll may be answered with everything. */
const COSTLY = { burst: 30, perSecond: 1 };
/** A member confirms every change, and in a join storm there are many. */
const MESSAGES = { burst: 1_000, perSecond: 200 };

/** The answer to this position is about as long as the whole mesh: a snapshot, or as many changes as it has members. */
const isWholeMesh = (mesh: MeshRecord, position: Position | null): boolean =>
  !isResumable(mesh, position) || mesh.revision - position.revision > Math.max(MIN_LONG_LAG, mesh.memberCount);
/** Below this it is short in any mesh. */
const MIN_LONG_LAG = 64;

const NOT_A_MEMBER: Failure = { code: "not_a_member" };
const decoder = createDecoder(ToMeshMessage, messageTypesOf(ToMeshMessage));

export function createMemberEndpoint(parts: MemberEndpointParts): MemberEndpoint {
  const { storage, connections, replies, broadcast, now, log } = parts;
  const limiters = { costly: createRateLimiter(COSTLY), any: createRateLimiter(MESSAGES) };

  const isAllowed = (machineId: MachineId, kind: "costly" | "any") => limiters[kind].take(machineId, now());

  // Whoever gets here is a member: a socket of one that is no longer is dismissed, a request is looked at before.
  function receive(
    machineId: MachineId,
    decoded: Decoded<ToMeshMessage>,
  ): { texts: string[]; failure: Failure | null } {
    for (const type of decoded.unknownTypes) log.info("ignored a message of unknown type", { machineId, type });
    const {
      replies: errors,
      ask,
      report,
      isChanged,
      failure,
    } = handleMessages({ storage, machineId, isAllowed: (kind) => isAllowed(machineId, kind) }, decoded.messages);
    if (isChanged) broadcast.schedule();
    if (report !== null) connections.keepReport(machineId, report);
    return { texts: [...errors.map((error) => JSON.stringify(error)), ...answer(machineId, ask)], failure };
  }

  function answer(machineId: MachineId, ask: MessageOutcome["ask"]): string[] {
    const mesh = ask === null ? null : readOpenMesh(storage);
    if (ask === null || mesh === null) return [];
    const socket = connections.sockets.of(machineId);
    if (socket !== null && (ask.kind === "hello" || socket.state.told !== null)) {
      socket.state = { ...socket.state, told: { epoch: mesh.epoch, revision: mesh.revision } };
      socket.save();
    }
    return ask.kind === "heartbeat" && ask.position !== null
      ? replies.confirm(mesh, ask.position)
      : replies.catchUp(mesh, ask.position);
  }

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
      return failure === null ? ok(texts) : err(failure);
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
      if (!isResumable(mesh, position) || position.revision < mesh.visibleRevision) {
        return ok(replies.catchUp(mesh, position));
      }
      return ok((await connections.hold(machineId, position, wait * 1_000)) ?? []);
    },
  };
}
