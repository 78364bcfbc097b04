// Sends checks, answers those of peers, and finds out which answer belongs to which check. One for each mesh.
//
// What can't be authenticated gets no answer at all: on this port there is nothing to be found for a stranger. Nor does what has to be
// understood and is not (RFC 8489 section 14); docs/decisions/0007 says why there is no error 420.
import type { Endpoint } from "#schema/address";
import type { MachineId } from "#schema/ids";
import { type ParsedStun, parseStun } from "../../stun/codec.ts";
import type { Clock } from "../../system/clock.ts";
import type { Logger } from "../../system/logger.ts";
import type { CheckKeys } from "../path-ports.ts";
import { isAuthentic, parseParties, renderCheck, renderCheckAnswer } from "./check-messages.ts";

/** Neither call rejects: a peer whose key can't be read is as good as none, and the next check reads it again. */
export interface Checker {
  send(check: OutgoingCheck): Promise<void>;
  /** A STUN packet that is no STUN server's. Resolves with who sent it when it was authentic, else with null. */
  receive(packet: Buffer, incoming: Incoming): Promise<MachineId | null>;
}

export interface OutgoingCheck {
  readonly peerId: MachineId;
  /** Null: through the relay. */
  readonly endpoint: Endpoint | null;
  readonly isNominated: boolean;
  readonly transmit: (packet: Buffer) => void;
  /** The sender of this check learns of its answer by `receive` alone. */
  readonly isSilent?: true;
}

export interface Incoming {
  /** Null: it came through the relay. */
  readonly from: Endpoint | null;
  readonly reply: (packet: Buffer) => void;
}

export interface CheckerOptions {
  readonly machineId: MachineId;
  readonly clock: Clock;
  readonly randomBytes: (count: number) => Buffer;
  readonly log: Logger;
  readonly keys: Pick<CheckKeys, "of" | "noteUsed">;
  /** WireGuard knows the peer, so a path that is proved can be used at once. */
  readonly isReady: (peerId: MachineId) => boolean;
  readonly onAnswered: (peerId: MachineId, answer: CheckAnswer) => void;
  readonly onChecked: (peerId: MachineId, endpoint: Endpoint, isNominated: boolean) => void;
}

export interface CheckAnswer {
  /** Where the check was sent; null: through the relay. */
  readonly endpoint: Endpoint | null;
  /** Where the peer saw it come from. */
  readonly mapped: Endpoint | null;
  readonly roundTripMs: number;
}

interface Pending {
  readonly peerId: MachineId;
  readonly endpoint: Endpoint | null;
  readonly sentAtMs: number;
  readonly isSilent: boolean;
}

/** An answer that takes longer says nothing of a path that anybody would want. */
const ANSWER_WITHIN_MS = 5_000;
/**
 * Checks of each peer that are remembered, so that a recorded one can't be used again soon: it would say that its sender is elsewhere. A path
 * in use is checked every 1.5 s, so these are more than ten minutes; all of a mesh of 64 are 3 MiB.
 */
const REMEMBERED_CHECKS = 512;

export function createChecker(options: CheckerOptions): Checker {
  const { machineId, clock, keys, log } = options;
  /** In order of sending. */
  const pending = new Map<string, Pending>();
  /** Transaction ids of each sender, oldest first: nobody can push another's out. */
  const taken = new Map<MachineId, Set<string>>();

  async function keysOf(peerId: MachineId): Promise<readonly Uint8Array[]> {
    try {
      return await keys.of(peerId);
    } catch (error) {
      log.debug("the key of a peer's checks can't be read", { peerId, error });
      return [];
    }
  }

  /** The key by which the peer's packet is authentic; null: by none. */
  async function authenticate(peerId: MachineId, parsed: ParsedStun): Promise<Uint8Array | null> {
    const key = (await keysOf(peerId)).find((one) => isAuthentic(parsed, one)) ?? null;
    if (key !== null) await keys.noteUsed(peerId, key);
    return key;
  }

  function forgetOld(nowMs: number): void {
    for (const [id, { sentAtMs }] of pending) {
      if (nowMs - sentAtMs < ANSWER_WITHIN_MS) return;
      pending.delete(id);
    }
  }

  /** False: it was here before. */
  function take(sender: MachineId, transactionId: Buffer): boolean {
    const id = transactionId.toString("hex");
    const known = taken.get(sender) ?? remember(sender);
    if (known.has(id)) return false;
    known.add(id);
    const [oldest = id] = known;
    if (known.size > REMEMBERED_CHECKS) known.delete(oldest);
    return true;
  }

  /** Who comes takes the place of those who left. */
  function remember(sender: MachineId): Set<string> {
    for (const id of taken.keys()) if (!options.isReady(id)) taken.delete(id);
    const known = new Set<string>();
    taken.set(sender, known);
    return known;
  }

  async function answer(parsed: ParsedStun, { from, reply }: Incoming): Promise<MachineId | null> {
    const parties = parseParties(parsed);
    if (parties === null || parties.receiver !== machineId) return null;
    const { sender } = parties;
    const key = await authenticate(sender, parsed);
    if (key === null || !options.isReady(sender)) return null;
    if (!take(sender, parsed.transactionId)) return null;
    reply(renderCheckAnswer(Buffer.from(parsed.transactionId), from, key));
    if (from !== null) options.onChecked(sender, from, parsed.attributes.useCandidate === true);
    return sender;
  }

  async function takeAnswer(parsed: ParsedStun, { from }: Incoming): Promise<MachineId | null> {
    const id = parsed.transactionId.toString("hex");
    const check = pending.get(id);
    // RFC 8445 section 7.2.5.2.1: an answer from elsewhere than where the check went proves nothing.
    if (check === undefined || check.endpoint !== from) return null;
    const key = await authenticate(check.peerId, parsed);
    if (key === null || !pending.delete(id)) return null;
    const { peerId, endpoint, sentAtMs } = check;
    const mapped = parsed.attributes.xorMappedAddress ?? null;
    if (!check.isSilent)
      options.onAnswered(peerId, { endpoint, mapped, roundTripMs: Math.max(0, clock.now() - sentAtMs) });
    return peerId;
  }

  return {
    async send({ peerId, endpoint, isNominated, transmit, isSilent = false }) {
      const [key] = await keysOf(peerId);
      if (key === undefined) return;
      const transactionId = options.randomBytes(12);
      const nowMs = clock.now();
      forgetOld(nowMs);
      pending.set(transactionId.toString("hex"), { peerId, endpoint, sentAtMs: nowMs, isSilent });
      transmit(renderCheck({ transactionId, receiver: peerId, sender: machineId, isNominated }, key));
    },
    async receive(packet, incoming) {
      const parsed = parseStun(packet);
      if (parsed === null || parsed.attributes.unknownRequired !== undefined) return null;
      if (parsed.class === "request") return answer(parsed, incoming);
      return parsed.class === "success" ? takeAnswer(parsed, incoming) : null;
    },
  };
}
