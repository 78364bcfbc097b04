// How a machine hears from its object: the state of what it should be in, over a socket or long-poll, the same on both.
import { z } from "zod";
import { type Generation, toRestoredAt } from "#schema/generation";
import type { MachineId } from "#schema/ids";
import { ONLINE_WITHIN_MS } from "#schema/limits";
import type { StunServer } from "#schema/nat";
import { err, ok, type Result } from "#schema/result";
import {
  type MachineHello,
  MachinePollQuery,
  type MachineRemoved,
  type MachineState,
  ToMachineMessage,
} from "#schema/wire/messages";
import { type AgentEndpoint, parseQuery } from "../durable/agent-endpoint.ts";
import { toClose } from "../durable/close-reason.ts";
import { createDecoder, type Decoded, messageTypesOf } from "../durable/decode-message.ts";
import { createPollPresence } from "../durable/poll-presence.ts";
import { createRateLimiter } from "../durable/rate-limiter.ts";
import { createSockets } from "../durable/sockets.ts";
import { createWaiters } from "../durable/waiters.ts";
import { checkWireVersion } from "../durable/wire-version.ts";
import type { Failure } from "../failure.ts";
import type { Logger } from "../log.ts";
import type { Projection } from "../outbox/entries.ts";
import type { Outbox } from "../outbox/outbox.ts";
import { isIdentityKeyDue, toKeyReplacement } from "./key-order.ts";
import type { MachineRecord, MachineStorage } from "./storage.ts";
import type { Upgrades } from "./upgrades/upgrades.ts";

export interface Doorbell extends AgentEndpoint {
  /** Tells the machine its state, if it listens. */
  ring(): void;
  /** The last word to a machine that was removed. */
  dismiss(machineId: MachineId): void;
  receiveFrame(webSocket: WebSocket, frame: string | ArrayBuffer): void;
  closed(webSocket: WebSocket): void;
  /** It is connected at this moment, as far as that can be known. */
  isListening(): boolean;
  /** Milliseconds since the epoch; null when it never was. */
  readLastSeen(): number | null;
}

export interface DoorbellParts {
  readonly storage: MachineStorage;
  readonly outbox: Pick<Outbox<Projection>, "enqueue" | "drain">;
  readonly upgrades: Pick<Upgrades, "order" | "saidHello" | "failed">;
  readonly stunServers: readonly StunServer[];
  readonly generation: Generation | null;
  readonly now: () => number;
  readonly log: Logger;
}

const SocketState = z.object({ hasSaidHello: z.boolean() });
const MESSAGES = { burst: 30, perSecond: 1 };
const decoder = createDecoder(ToMachineMessage, messageTypesOf(ToMachineMessage));

export function createDoorbell(
  ctx: DurableObjectState,
  { storage, outbox, upgrades, stunServers, generation, now, log }: DoorbellParts,
): Doorbell {
  const sockets = createSockets(ctx, SocketState);
  const waiters = createWaiters<MachineId, number>();
  const polls = createPollPresence<MachineId>({ now, onGone: (_, lastSeenAt) => keepLastSeen(lastSeenAt) });
  const limiter = createRateLimiter(MESSAGES);

  function keepLastSeen(lastSeenAt: number): void {
    const machine = storage.readMachine();
    if (machine !== null) storage.writeMachine({ ...machine, lastSeenAt });
  }

  /** When its socket or poll was heard last; 0 without one. */
  const readConnected = (machineId: MachineId): number =>
    Math.max(sockets.of(machineId)?.lastSeenAt() ?? 0, polls.lastSeenAt(machineId) ?? 0);

  function refusalOf(): Failure | null {
    const machine = storage.readMachine();
    if (machine === null) return { code: "machine_not_found" };
    return machine.removedAt === null ? null : { code: "machine_removed" };
  }

  function receive(machineId: MachineId, decoded: Decoded<ToMachineMessage>): Result<string[], Failure> {
    for (const type of decoded.unknownTypes) log.info("ignored a message of unknown type", { machineId, type });
    for (const message of decoded.messages) {
      if (!limiter.take(machineId, now())) return err({ code: "rate_limited", detail: "too many messages" });
      if (message.type === "upgrade.report") upgrades.failed(message.orderId, message.problem);
      if (message.type !== "machine.hello") continue;
      const refusal = checkWireVersion(message.wireVersion);
      if (refusal !== null) return err(refusal);
      const before = storage.readMachine()?.agent ?? null;
      keepAgentInfo(message);
      const socket = sockets.of(machineId);
      if (socket !== null) {
        socket.state = { hasSaidHello: true };
        socket.save();
      }
      upgrades.saidHello(message.agent, before);
    }
    const machine = storage.readMachine();
    if (machine === null || machine.removedAt !== null) return err({ code: "machine_removed" });
    return ok(decoded.messages.length === 0 ? [] : [renderState(machine)]);
  }

  function keepAgentInfo({ agent }: MachineHello): void {
    const machine = storage.readMachine();
    if (machine === null || JSON.stringify(machine.agent) === JSON.stringify(agent)) return;
    storage.transaction(() => {
      storage.writeMachine({ ...machine, agent });
      outbox.enqueue([{ type: "agent_info", machineId: machine.id, agent }], now());
    });
    ctx.waitUntil(outbox.drain());
  }

  /** In a restored state above whatever the state before it told, or could have. */
  const firstRevision = generation === null ? 0 : toRestoredAt(generation);
  const toRevision = (machine: MachineRecord): number => firstRevision + machine.revision;

  function renderState(machine: MachineRecord): string {
    const { name, keyOrder, identityKey } = machine;
    const revision = toRevision(machine);
    const joined = storage.readMeshes().filter((entry) => entry.state === "joined");
    const meshes = joined.map((entry) => ({ meshId: entry.meshId, name: entry.meshName ?? "" }));
    const keyReplacement = keyOrder === null ? null : toKeyReplacement(keyOrder);
    const dueIdentityKey = isIdentityKeyDue(machine) ? identityKey : null;
    const state: MachineState = {
      ...{ type: "machine.state", revision, name, meshes },
      ...{ stunServers: [...stunServers], keyReplacement, upgrade: upgrades.order(), dueIdentityKey },
    };
    return JSON.stringify(state);
  }

  return {
    refusalOf,
    openSocket(machineId) {
      waiters.answer(machineId, null);
      return ok(sockets.accept(machineId, { hasSaidHello: false }, now()));
    },
    receiveFrame(webSocket, frame) {
      const socket = sockets.heard(webSocket, now());
      if (socket === null) return;
      const decoded = decoder.decodeFrame(frame);
      const outcome: Result<string[], Failure> = decoded.ok ? receive(socket.machineId, decoded.value) : decoded;
      if (outcome.ok) return outcome.value.forEach(socket.send);
      log.info("closed a machine's socket", { machineId: socket.machineId, code: outcome.error.code });
      sockets.dismiss(socket.machineId, toClose(outcome.error));
    },
    closed(webSocket) {
      const dropped = sockets.dropped(webSocket);
      if (dropped !== null) keepLastSeen(dropped.lastSeenAt);
    },
    post(machineId, body) {
      polls.heard(machineId);
      const decoded = decoder.decodeBatch(body);
      return decoded.ok ? receive(machineId, decoded.value) : decoded;
    },
    async poll(machineId, query) {
      polls.heard(machineId);
      const parsed = parseQuery(MachinePollQuery, query);
      if (!parsed.ok) return parsed;
      const machine = storage.readMachine();
      if (machine === null) return err({ code: "machine_not_found" });
      const { since, wait } = parsed.value;
      // A position ahead of ours is not one of ours.
      if (since !== toRevision(machine)) return ok([renderState(machine)]);
      return ok((await waiters.hold(machineId, { since, holdMs: wait * 1_000 })) ?? []);
    },
    ring() {
      const machine = storage.readMachine();
      if (machine === null || machine.removedAt !== null) return;
      const text = renderState(machine);
      const socket = sockets.of(machine.id);
      if (socket?.state.hasSaidHello) socket.send(text);
      waiters.answer(machine.id, [text]);
    },
    dismiss(machineId) {
      const text = JSON.stringify({ type: "machine.removed" } satisfies MachineRemoved);
      sockets.of(machineId)?.send(text);
      sockets.dismiss(machineId, toClose({ code: "machine_removed" }));
      waiters.answer(machineId, [text]);
      polls.forget(machineId);
    },
    isListening() {
      const machine = storage.readMachine();
      return machine !== null && now() - readConnected(machine.id) <= ONLINE_WITHIN_MS;
    },
    readLastSeen() {
      const machine = storage.readMachine();
      if (machine === null) return null;
      const connected = readConnected(machine.id);
      return connected === 0 ? machine.lastSeenAt : connected;
    },
  };
}
