// What the reconciler remembers of the peers it configured, because WireGuard does not tell it. Lost when the agent restarts, on
// purpose: a peer that was there before us is left alone. Pure.
import type { WireGuardPublicKey } from "#schema/ids";
import type { PeerSettings } from "../wireguard/peer-change.ts";
import type { DesiredDevice } from "./desired-device.ts";
import type { Step } from "./steps.ts";

export interface PeerMemory {
  /** When we added it; null: it was there before this agent. */
  readonly addedAtMs: number | null;
  /** It took the place of the same member with another key. */
  readonly isReplacement: boolean;
  /** How many of the nudges are done, see `planNudge`. */
  readonly nudgesDone: number;
  /** The newest decision about its endpoint that was carried out. WireGuard may have roamed away since. */
  readonly endpointVersion: number;
  /** The life of the peer's interface that our session is with; null when it never told one. */
  readonly deviceEpoch: string | null;
}

const UNKNOWN: PeerMemory = {
  ...{ addedAtMs: null, isReplacement: false, nudgesDone: 0, endpointVersion: 0, deviceEpoch: null },
};

/** By interface, then by the peer's key. */
export type Memory = ReadonlyMap<string, ReadonlyMap<WireGuardPublicKey, PeerMemory>>;

/**
 * WireGuard repeats a handshake initiation only after 5 s. The first one is lost when the other side does not know us yet, which is common:
 * both are told of each other at about the same time. So a peer that we added, and that has had no handshake, is nudged about this long after
 * it was added. (5 s and later WireGuard goes on by itself.)
 */
const NUDGES_AFTER_MS = [120, 300, 700, 1_500, 3_000];

/**
 * When the nudges of this peer are due, milliseconds after it was added. Each side takes its pace (0.7 to 1.4 times the table) from the
 * other's key: two machines that nudged each other in step would cancel each other's handshakes.
 */
export function nudgesAfterMs(publicKey: WireGuardPublicKey): readonly number[] {
  const pace = 0.7 + ((publicKey.charCodeAt(0) * 37 + publicKey.charCodeAt(1)) % 64) / 90;
  return NUDGES_AFTER_MS.map((ms) => Math.round(ms * pace));
}

/** When the next nudge of this peer is due, milliseconds since the epoch; null: no more. */
export function nextNudgeAtMs(publicKey: WireGuardPublicKey, { addedAtMs, nudgesDone }: PeerMemory): number | null {
  const afterMs = nudgesAfterMs(publicKey)[nudgesDone];
  return addedAtMs === null || afterMs === undefined ? null : addedAtMs + afterMs;
}

/** When its first nudge after this time is due, whatever was done before; null: none is. */
export function firstNudgeAfter(
  publicKey: WireGuardPublicKey,
  { addedAtMs }: PeerMemory,
  nowMs: number,
): number | null {
  const times = addedAtMs === null ? [] : nudgesAfterMs(publicKey).map((afterMs) => addedAtMs + afterMs);
  return times.find((timeMs) => timeMs > nowMs) ?? null;
}

/** The memory after this step was done. */
export function rememberStep(memory: Memory, step: Step, nowMs: number): Memory {
  if (step.name === "interface.create" || step.name === "interface.remove") {
    return new Map([...memory].filter(([name]) => name !== step.interfaceName));
  }
  if (step.name !== "peers.change") return memory;
  const peers = new Map(memory.get(step.interfaceName));
  for (const change of step.args) {
    switch (change.kind) {
      case "add":
        peers.set(change.peer.publicKey, { ...toAddedPeer(nowMs), isReplacement: change.isAwake === true });
        break;
      case "recreate":
        peers.set(
          change.peer.publicKey,
          change.isNudge ? toNudgedPeer(peers.get(change.peer.publicKey), change.peer, nowMs) : toAddedPeer(nowMs),
        );
        break;
      case "update":
      case "withdraw":
        break;
      case "remove":
        peers.delete(change.publicKey);
    }
  }
  return new Map(memory).set(step.interfaceName, peers);
}

/** The memory after a round that brought a device to where it should be: its peers are those of these device epochs, and have these endpoints. */
export function rememberPeers(memory: Memory, { interfaceName, peers }: DesiredDevice): Memory {
  const before = memory.get(interfaceName) ?? new Map();
  const isKnown = peers.every((peer) => {
    const { deviceEpoch, endpointVersion } = before.get(peer.publicKey) ?? UNKNOWN;
    return deviceEpoch === (peer.deviceEpoch ?? null) && endpointVersion === peer.endpointVersion;
  });
  if (isKnown) return memory;
  const after = new Map(before);
  for (const { publicKey, deviceEpoch = null, endpointVersion } of peers) {
    after.set(publicKey, { ...(before.get(publicKey) ?? UNKNOWN), deviceEpoch, endpointVersion });
  }
  return new Map(memory).set(interfaceName, after);
}

const toAddedPeer = (nowMs: number): PeerMemory => ({ ...UNKNOWN, addedAtMs: nowMs });

/** Nudges that came too late to be done on their own count as done, so that they don't follow each other at once. */
function toNudgedPeer(before: PeerMemory | undefined, { publicKey }: PeerSettings, nowMs: number): PeerMemory {
  const addedAtMs = before?.addedAtMs ?? nowMs;
  const due = nudgesAfterMs(publicKey).filter((afterMs) => addedAtMs + afterMs <= nowMs).length;
  const nudgesDone = Math.max(due, (before?.nudgesDone ?? 0) + 1);
  return { ...(before ?? UNKNOWN), addedAtMs, nudgesDone };
}
