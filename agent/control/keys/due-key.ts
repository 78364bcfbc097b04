// When this machine's key in a mesh is to be replaced. Pure; times are the control plane's, milliseconds since the epoch.
import type { PeerRow } from "#schema/desired-state";
import type { WireGuardPublicKey } from "#schema/ids";
import type { KeyReplacement } from "#schema/machine";

export interface KeyFacts {
  /** The key in the file. */
  readonly publicKey: WireGuardPublicKey;
  /** This machine as the mesh knows it; null: it does not yet. */
  readonly self: Pick<PeerRow, "publicKey" | "keySinceMs"> | null;
  /** What a person asked for; null: nothing. */
  readonly order: KeyReplacement | null;
  /** The mesh's setting; null: never. */
  readonly rotationDays: number | null;
}

export interface DueKey {
  /** May be long ago. */
  readonly atMs: number;
  readonly isForced: boolean;
  /** From then on it is replaced whoever can't hear of it; null: never. */
  readonly waitsUntilMs: number | null;
  readonly why: "asked" | "age";
}

const DAY_MS = 86_400_000;
/** Beyond its age. Otherwise a member who keeps its sessions and stays off the control plane could have others keep their keys for ever. */
const LONGEST_WAIT_MS = 7 * DAY_MS;
/** Keys of machines that joined together are replaced at different times. */
const SPREAD = 0.1;

/** Null: not in sight. A key that the mesh does not know yet is never replaced: it is about to be told. */
export function toDueKey({ publicKey, self, order, rotationDays }: KeyFacts): DueKey | null {
  if (self?.publicKey !== publicKey || self.keySinceMs === undefined) return null;
  const sinceMs = self.keySinceMs;
  const aged = rotationDays === null ? null : toAged({ publicKey, sinceMs, rotationDays });
  if (order === null || sinceMs >= Date.parse(order.keysMadeBefore)) return aged;
  const waitsUntilMs = order.force ? sinceMs : (aged?.waitsUntilMs ?? null);
  return { atMs: sinceMs, isForced: order.force, waitsUntilMs, why: "asked" };
}

interface Age {
  readonly publicKey: WireGuardPublicKey;
  readonly sinceMs: number;
  readonly rotationDays: number;
}

function toAged({ publicKey, sinceMs, rotationDays }: Age): DueKey {
  const share = 1 - SPREAD * toFraction(publicKey);
  const atMs = sinceMs + rotationDays * DAY_MS * share;
  return { atMs, isForced: false, waitsUntilMs: atMs + LONGEST_WAIT_MS, why: "age" };
}

/** The same for a key whenever it is asked for, and another for each key: from 0 up to 1. */
const toFraction = (publicKey: WireGuardPublicKey): number =>
  Buffer.from(publicKey, "base64").readUInt32BE(0) / 2 ** 32;
