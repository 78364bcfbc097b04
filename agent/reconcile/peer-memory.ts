// What the reconciler remembers of the peers it configured, because WireGuard does not tell it. Lost when the agent restarts, on
// purpose: a peer that was there before us is left alone. Pure.
import type { Endpoint } from "#schema/address";
import type { WireGuardPublicKey } from "#schema/ids";
import type { PeerSettings } from "../wireguard/peer-change.ts";
import type { Step } from "./steps.ts";

export interface PeerMemory {
  /** When we added it; null: it was there before this agent. */
  readonly addedAtMs: number | null;
  /** How many of the nudges are done, see `planNudge`. */
  readonly nudgesDone: number;
  /** The endpoint that we wrote last; null: none yet. WireGuard may have roamed away from it since. */
  readonly writtenEndpoint: Endpoint | null;
}

/** By interface, then by the peer's key. */
export type Memory = ReadonlyMap<string, ReadonlyMap<WireGuardPublicKey, PeerMemory>>;

/**
 * WireGuard repeats a handshake initiation only after 5 s. The first one is lost when the other side does not know us yet, which is common:
 * both are told of each other at about the same time. So a peer that we added, and that never answered, is nudged this long after it
 * was added. (5 s and later WireGuard goes on by itself.)
 */
const NUDGES_AFTER_MS = [250, 500, 1_000, 2_000];

/** When the next nudge of this peer is due, milliseconds since the epoch; null: no more. */
export function nextNudgeAtMs({ addedAtMs, nudgesDone }: PeerMemory): number | null {
  const afterMs = NUDGES_AFTER_MS[nudgesDone];
  return addedAtMs === null || afterMs === undefined ? null : addedAtMs + afterMs;
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
        peers.set(change.peer.publicKey, toAddedPeer(change.peer, nowMs));
        break;
      case "recreate":
        peers.set(change.peer.publicKey, toNudgedPeer(peers.get(change.peer.publicKey), change.peer, nowMs));
        break;
      case "update":
        if (change.endpoint) {
          const before = peers.get(change.publicKey) ?? { addedAtMs: null, nudgesDone: 0 };
          peers.set(change.publicKey, { ...before, writtenEndpoint: change.endpoint });
        }
        break;
      case "remove":
        peers.delete(change.publicKey);
    }
  }
  return new Map(memory).set(step.interfaceName, peers);
}

function toAddedPeer({ endpoint }: PeerSettings, nowMs: number): PeerMemory {
  return { addedAtMs: nowMs, nudgesDone: 0, writtenEndpoint: endpoint };
}

/** Nudges that came too late to be done on their own count as done, so that they don't follow each other at once. */
function toNudgedPeer(before: PeerMemory | undefined, { endpoint }: PeerSettings, nowMs: number): PeerMemory {
  const addedAtMs = before?.addedAtMs ?? nowMs;
  const due = NUDGES_AFTER_MS.filter((afterMs) => addedAtMs + afterMs <= nowMs).length;
  return { addedAtMs, nudgesDone: Math.max(due, (before?.nudgesDone ?? 0) + 1), writtenEndpoint: endpoint };
}
